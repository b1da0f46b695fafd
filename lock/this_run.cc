// SPDX-License-Identifier: Apache-2.0
#include "lock/this_run.h"

#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "lock/access.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/process.h"
#include "lock/status.h"
#include "lock/timestamp.h"
#include "lock/version.h"

namespace o8lock {
namespace {

// The length of a command line kept in the record, for people to read.
constexpr size_t kMaxCommandSize = 16 << 10;

std::string ThisUser() {
  for (const char* variable : {"LOGNAME", "USER"}) {
    const char* name = getenv(variable);
    if (name != nullptr && *name != '\0') return name;
  }
  return UserName(geteuid());
}

std::vector<std::string> Truncated(const std::vector<std::string>& command) {
  std::vector<std::string> kept;
  size_t size = 0;
  for (const std::string& argument : command) {
    size += argument.size();
    if (size > kMaxCommandSize) {
      kept.push_back("...");
      break;
    }
    kept.push_back(argument);
  }
  return kept;
}

}  // namespace

absl::StatusOr<std::string> NewToken() {
  uint64_t random[2];
  if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
    return absl::ErrnoToStatus(errno, "cannot get random bytes");
  }
  return absl::StrCat(absl::Hex(random[0], absl::kZeroPad16),
                      absl::Hex(random[1], absl::kZeroPad16));
}

absl::StatusOr<Holder> DescribeThisRun(
    const std::vector<std::string>& features, int max_concurrency,
    const std::vector<std::string>& command) {
  const Here here = ThisProcess();
  Holder holder;
  holder.pid = here.pid;
  // The clock of the kernel's file timestamps, up to a tick behind.
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  holder.began = Nanoseconds(now);
  holder.started_at = FormatTime(now.tv_sec);
  holder.features = features;
  holder.max_concurrency = max_concurrency;
  holder.command = Truncated(command);
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof(directory)) != nullptr) holder.cwd = directory;
  holder.user = ThisUser();
  holder.host = here.host;
  holder.boot_id = here.boot_id;
  holder.pid_namespace = here.pid_namespace;
  holder.time_namespace = here.time_namespace;
  O8LOCK_ASSIGN_OR_RETURN(holder.token, NewToken());
  holder.version = kVersion;
  return holder;
}

absl::Status FeaturesTooLong() {
  return absl::InvalidArgumentError(
      absl::StrCat("the features are longer than ", kMaxFileSize, " bytes"));
}

}  // namespace o8lock
