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

// Draws on a panel with its own colour, for dark and light pages alike.
// %1$s: the chart's file; %2$s: labels; %3$g: the right end of the axis; %4$d:
// the number of rows; %5$s: their figures; %6$d: the height.
constexpr char kGnuplot[] = R"(
set terminal svg size 900,%6$d dynamic font 'Helvetica,Arial,sans-serif,12' background '#282d35'
set output '%1$s'
set label 'o8lock, as a multiple of its peer (smaller is better)' at screen 0.5,0.97 center font ',16' textcolor rgb '#e6e9ee'
machine = system("echo \"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs, Linux $(uname -r | cut -d- -f1), $(git --version | sed 's/version //'), $(flock --version | sed 's/^flock from //'), $(date -u +%%F)\"")
set label machine noenhanced at screen 0.5,0.925 center textcolor rgb '#9aa3b0'
%2$s
set lmargin at screen 0.47
set rmargin at screen 0.93
set tmargin at screen 0.885
set bmargin at screen 0.105
set border 1 lc rgb '#7a8391'
set xtics nomirror out textcolor rgb '#b9c0cb'
unset ytics
set grid xtics lt 1 lc rgb '#3a414c'
set key at screen 0.96,0.01 right bottom vertical maxrows 1 samplen 1.5 textcolor rgb '#b9c0cb'
set xrange [0:%3$g]
set yrange [%4$d.6:0.4]
set arrow from 1, graph 0 to 1, graph 1 nohead lt 1 lc rgb '#7a8391' back
$rows << END
%5$sEND
plot \
  $rows using 2:1:(0):2:($1-0.34):($1+0.34) with boxxyerror fs solid noborder lc rgb '#4f86b0' title 'median', \
  $rows using ($5 > 0 && $2 > $5 ? $2 : NaN):1:(0):2:($1-0.34):($1+0.34) with boxxyerror fs solid noborder lc rgb '#c07a4a' title 'median, over the target', \
  $rows using 2:1:3:4 with xerrorbars pt 0 lw 1.5 lc rgb '#dfe6ee' title 'quartiles', \
  $rows using ($5 > 0 ? $5 : NaN):($1+0.42):(0):(-0.84) with vectors nohead lw 2.5 lc rgb '#ff6b5e' title 'target'
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
  absl::PrintF("%-32s %-24s %6s  %16s  %6s\n", "", "against", "ratio",
               "quartiles", "target");
}

void Print(const Result& result) {
  const Row& row = *result.row;
  absl::PrintF("%-32s %-24s %6.3f  %6.3f to %6.3f  %6s  %s\n", row.name,
               row.peer_name, result.median, result.lower, result.upper,
               row.target > 0 ? absl::StrFormat("%.2f", row.target) : "-",
               row.target == 0              ? ""
               : result.median > row.target ? "OVER"
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
  // Longer bars are cut off: one of them would make all others illegible.
  constexpr double kLongest = 3;
  double most = 0;
  int place = 0;
  for (const Result& result : results) {
    const Row& row = *result.row;
    absl::StrAppendFormat(
        &labels,
        "set label '%2$s' at screen 0.015, first %1$d left textcolor rgb "
        "'#e6e9ee'\n"
        "set label '%3$s' at screen 0.46, first %1$d right textcolor rgb "
        "'#9aa3b0'\n"
        "set label '%4$.2f' at screen 0.985, first %1$d right textcolor rgb "
        "'#e6e9ee'\n",
        ++place, row.name, row.peer_name, result.median);
    absl::StrAppendFormat(&rows, "%d %g %g %g %g\n", place, result.median,
                          result.lower, result.upper, row.target);
    most = std::max<double>({most, result.upper, row.target});
  }
  FILE* gnuplot = popen("gnuplot", "w");
  if (gnuplot == nullptr) return absl::ErrnoToStatus(errno, "start gnuplot");
  absl::FPrintF(gnuplot, kGnuplot, absl::StrReplaceAll(path, {{"'", "''"}}),
                labels, std::min(most, kLongest) * 1.03, place, rows,
                120 + 24 * place);
  if (pclose(gnuplot) == 0) return absl::OkStatus();
  return absl::InternalError("gnuplot failed; is it installed?");
}

}  // namespace o8lock
