// SPDX-License-Identifier: Apache-2.0
//
// Compares o8lock with flock(1), with git without o8lock, and with itself in a
// repository of another size:
//
//   bazel run //tools:benchmark -- [--rounds N] [--only SUBSTRING] [--svg FILE]
//
// Prints a table with one line for each row: the measurement, its peer, the
// ratio of the two, its quartiles, the target, and "ok" or "OVER". Exits with 0
// if all rows were measured, even if some are over the target, because machines
// differ. Otherwise exits with 1.
//
// Method: a process is started with vfork(2), and its standard streams are
// /dev/null. Its time is measured with the boot-time clock, from before the
// start until the process is collected. The two sides take turns, and each is
// first in every second pair. A warm-up runs a tenth as many pairs.
// The ratio is the median of the ratios within the pairs: a slow phase of the
// machine longer than a pair slows both halves alike. Between o8lock and
// itself, with 100 pairs at a time, this ratio differs from 1 by 0.7 %. The
// ratio of the two medians differs from 1 by 1.0 %.
//
// Git is the one in /usr/bin, or GIT=/path/to/bin/git.
//
// The repositories are in TMPDIR, or /tmp, and are removed at the end. For each
// new file, an ext4 without a journal skips the inodes freed in the last
// minutes, one by one. On such a file system the ratios depend also on the
// files removed before. TMPDIR=/dev/shm excludes this effect.
//
// Programs are first copied to a disk with cp(1), as an installation does. A
// file written in small pieces, for example by a linker, or a file in /dev/shm
// is in small pieces in the page cache too. Such a program starts 0.1 ms
// slower.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "lock/status.h"
#include "tools/bench/benchmark_in_process.h"
#include "tools/bench/place.h"
#include "tools/bench/processes.h"
#include "tools/bench/results.h"
#include "tools/bench/rows.h"

namespace o8lock {
namespace {

volatile sig_atomic_t interrupted = 0;

using Ratios = absl::StatusOr<std::vector<double>>;

Ratios Measure(const Row& row, Place& place, int pairs) {
  O8LOCK_ASSIGN_OR_RETURN(const Side subject, row.subject(place));
  if (row.measure == nullptr) {
    return CompareInProcess(subject.start.directory, pairs);
  }
  O8LOCK_ASSIGN_OR_RETURN(const Side peer, row.peer(place));
  const Side* const sides[] = {&subject, &peer};
  std::deque<Stay> holders;
  for (const Side* side : sides) {
    if (!row.held) continue;
    O8LOCK_RETURN_IF_ERROR(
        holders.emplace_back(side->hold).ReadTime().status());
  }
  std::vector<double> ratios;
  for (int i = -pairs / 10; i < pairs; ++i) {
    double values[2] = {};
    for (const int which : {i & 1, 1 - (i & 1)}) {
      O8LOCK_ASSIGN_OR_RETURN(values[which], row.measure(*sides[which]));
      if (interrupted != 0) return absl::CancelledError("interrupted");
    }
    if (i >= 0) ratios.push_back(values[0] / values[1]);
  }
  return ratios;
}

struct Options {
  int rounds = 10;
  std::string only;
  std::string svg;
};

std::optional<Options> ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view option = argv[i];
    const std::string value = i + 1 < argc ? argv[++i] : "";
    if (option == "--only") {
      options.only = value;
    } else if (option == "--svg" && !value.empty()) {
      // `bazel run` has changed the directory.
      const char* here = getenv("BUILD_WORKING_DIRECTORY");
      options.svg = std::filesystem::path(here == nullptr ? "." : here) / value;
    } else if (option != "--rounds" ||
               !absl::SimpleAtoi(value, &options.rounds) ||
               options.rounds < 1) {
      return std::nullopt;
    }
  }
  return options;
}

int Fail(absl::string_view problem) {
  absl::FPrintF(stderr, "benchmark: %s\n", problem);
  return 1;
}

int Main(int argc, char** argv) {
  const std::optional<Options> options = ParseOptions(argc, argv);
  if (!options.has_value()) {
    fputs("usage: benchmark [--rounds N] [--only SUBSTRING] [--svg FILE]\n",
          stderr);
    return 1;
  }
  struct sigaction interrupt = {};
  interrupt.sa_handler = [](int) { interrupted = 1; };
  interrupt.sa_flags = SA_RESTART;
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    sigaction(signal, &interrupt, nullptr);
  }
  Place place;
  const absl::Status ready = place.SetUp();
  if (!ready.ok()) return Fail(ready.ToString());
  int exit_code = 0;
  PrintHead();
  std::vector<Result> results;
  for (const Row& row : Rows()) {
    if (interrupted != 0 || !absl::StrContains(row.name, options->only)) {
      continue;
    }
    const Ratios ratios = Measure(row, place, options->rounds * row.pairs);
    if (ratios.ok()) {
      results.push_back(Summarize(row, *ratios));
      Print(results.back());
    } else {
      PrintMissing(row, ratios.status());
      exit_code = 1;
    }
  }
  if (results.empty()) {
    if (exit_code == 0 && interrupted == 0) {
      return Fail(absl::StrCat("no row has '", options->only, "' in its name"));
    }
    return exit_code;
  }
  if (options->svg.empty()) return exit_code;
  const absl::Status drawn = Draw(results, options->svg);
  return drawn.ok() ? exit_code : Fail(drawn.ToString());
}

}  // namespace
}  // namespace o8lock

int main(int argc, char** argv) { return o8lock::Main(argc, argv); }
