// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/results.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "tools/bench/rows.h"

namespace o8lock {
namespace {

// %1$s: the picture's file; %2$s: labels; %3$g: how far to the right; %4$d:
// rows; %5$s: their figures.
constexpr char kGnuplot[] = R"(
set terminal svg size 900,620 dynamic font 'Helvetica,Arial,sans-serif,12' background '#ffffff'
set output '%1$s'
set label 'What o8lock takes, as a multiple of what it is compared with' at screen 0.5,0.97 center font ',16'
machine = system("echo \"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs, Linux $(uname -r | cut -d- -f1), $(git --version | sed 's/version //'), $(flock --version | sed 's/^flock from //'), $(date -u +%%F)\"")
set label machine noenhanced at screen 0.5,0.925 center textcolor rgb '#666666'
%2$s
set lmargin at screen 0.47
set rmargin at screen 0.93
set tmargin at screen 0.885
set bmargin at screen 0.105
set border 1 lc rgb '#888888'
set xtics nomirror out textcolor rgb '#444444'
unset ytics
set grid xtics lt 1 lc rgb '#e6e6e6'
set key at screen 0.96,0.01 right bottom vertical maxrows 1 samplen 1.5 textcolor rgb '#444444'
set xrange [0:%3$g]
set yrange [%4$d.6:0.4]
set arrow from 1, graph 0 to 1, graph 1 nohead lt 1 lc rgb '#999999' back
$rows << END
%5$sEND
plot \
  $rows using 2:1:(0):2:($1-0.34):($1+0.34) with boxxyerror fs solid noborder lc rgb '#8fbbd9' title 'median', \
  $rows using ($5 > 0 && $2 > $5 ? $2 : NaN):1:(0):2:($1-0.34):($1+0.34) with boxxyerror fs solid noborder lc rgb '#efb08c' title 'median, over the limit', \
  $rows using 2:1:3:4 with xerrorbars pt 0 lw 1.5 lc rgb '#33506b' title 'quartiles', \
  $rows using ($5 > 0 ? $5 : NaN):($1+0.42):(0):(-0.84) with vectors nohead lw 2.5 lc rgb '#c0392b' title 'limit'
)";

}  // namespace

Result Summarize(const Row& row, std::vector<double> ratios) {
  std::sort(ratios.begin(), ratios.end());
  const auto quantile = [&ratios](double part) {
    const double place = part * static_cast<double>(ratios.size() - 1);
    const size_t below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, ratios.size() - 1);
    return ratios[below] + (place - static_cast<double>(below)) *
                               (ratios[above] - ratios[below]);
  };
  return {&row, quantile(0.25), quantile(0.5), quantile(0.75)};
}

void PrintHead() {
  absl::PrintF("%-32s %-24s %6s  %16s  %5s\n", "", "against", "ratio",
               "quartiles", "limit");
}

void Print(const Result& result) {
  const Row& row = *result.row;
  absl::PrintF("%-32s %-24s %6.3f  %6.3f to %6.3f  %5s  %s\n", row.name,
               row.peer_name, result.median, result.lower, result.upper,
               row.limit > 0 ? absl::StrFormat("%.2f", row.limit) : "-",
               row.limit == 0              ? ""
               : result.median > row.limit ? "OVER"
                                           : "ok");
  fflush(stdout);
}

void PrintMissing(const Row& row, const absl::Status& reason) {
  absl::PrintF("%-32s %-24s not measured: %s\n", row.name, row.peer_name,
               reason.message());
}

absl::Status Draw(const std::vector<Result>& results, const std::string& path) {
  std::string labels;
  std::string rows;
  double most = 0;
  int place = 0;
  for (const Result& result : results) {
    const Row& row = *result.row;
    absl::StrAppendFormat(
        &labels,
        "set label '%2$s' at screen 0.015, first %1$d left\n"
        "set label '%3$s' at screen 0.46, first %1$d right textcolor rgb "
        "'#777777'\n"
        "set label '%4$.2f' at screen 0.985, first %1$d right\n",
        ++place, row.name, row.peer_name, result.median);
    absl::StrAppendFormat(&rows, "%d %g %g %g %g\n", place, result.median,
                          result.lower, result.upper, row.limit);
    most = std::max<double>({most, result.upper, row.limit});
  }
  FILE* gnuplot = popen("gnuplot", "w");
  if (gnuplot == nullptr) return absl::ErrnoToStatus(errno, "start gnuplot");
  absl::FPrintF(gnuplot, kGnuplot, absl::StrReplaceAll(path, {{"'", "''"}}),
                labels, most * 1.03, place, rows);
  if (pclose(gnuplot) == 0) return absl::OkStatus();
  return absl::InternalError("gnuplot failed; is it installed?");
}

}  // namespace o8lock
