// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/doctor_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/file_system.h"
#include "lock/location.h"
#include "lock/lock_file_status.h"
#include "lock/lock_status.h"
#include "lock/probe.h"
#include "tools/cli/access_hint.h"
#include "tools/cli/caller.h"
#include "tools/cli/error_text.h"
#include "tools/cli/finding.h"
#include "tools/cli/text_parts.h"

namespace o8lock {
namespace {

Finding NoFileOfOurs(absl::string_view what, const absl::Status& status,
                     const Location& location) {
  return {Finding::kFail,
          std::string(what),
          std::string(status.message()),
          absl::IsPermissionDenied(status) ? AccessHint(location)
                                           : LockHint(status),
          {}};
}

Finding GuardFinding(const Location& location) {
  const std::string& path = location.guard;
  const absl::StatusOr<Fd> fd = OpenRegular(path, O_RDONLY);
  if (absl::IsNotFound(fd.status())) {
    return {Finding::kOk,
            "guard",
            absl::StrCat(path, ": does not exist yet"),
            "",
            {}};
  }
  if (!fd.ok()) return NoFileOfOurs("guard", fd.status(), location);
  return {Finding::kOk, "guard", absl::StrCat(path, ": exists"), "", {}};
}

Finding LockFileFinding(const std::string& path, const Location& location) {
  const absl::StatusOr<LockFile> file =
      DetermineLockFileStatus(path, std::nullopt);
  if (!file.ok()) return NoFileOfOurs("lock file", file.status(), location);
  const LockStatus& found = file->lock_status;
  const auto finding = [&path](Finding::Level level, absl::string_view text,
                               absl::string_view hint) {
    return Finding{level,
                   "lock file",
                   absl::StrCat(path, ": ", text),
                   std::string(hint),
                   {}};
  };
  if (found.state == LockState::kFree) {
    return finding(Finding::kOk, "does not exist, as usual between runs", "");
  }
  if (found.problem.empty()) {
    return finding(Finding::kOk,
                   absl::StrCat("exists; see: ", OwnCommand("status")), "");
  }
  if (found.state == LockState::kStale) {
    return finding(Finding::kWarn,
                   absl::StrCat("malformed (", found.problem, ")"),
                   "the next run moves it aside");
  }
  return finding(Finding::kFail, found.problem,
                 absl::StrCat("no run starts until this is resolved; see: ",
                              OwnCommand("status")));
}

// Returns the directory of `file`, or its nearest existing ancestor if o8lock
// would `create` it.
std::string DirectoryOf(const std::string& file, bool create) {
  std::string directory = ParentOf(file);
  while (create && !directory.empty() && access(directory.c_str(), F_OK) != 0) {
    directory = ParentOf(directory);
  }
  return directory.empty() ? "/" : directory;
}

std::string HintFor(const absl::Status& status, const Location& location) {
  if (absl::IsNotFound(status)) return "create this directory";
  if (absl::IsPermissionDenied(status)) return AccessHint(location);
  return absl::IsResourceExhausted(status) ? LockHint(status) : "";
}

Findings DirectoryFindings(absl::string_view what, const std::string& directory,
                           const Location& location) {
  const std::string file_system = FileSystemOf(directory);
  const std::string where = absl::StrCat(directory, " (", file_system, "): ");
  const absl::StatusOr<Probe> probe = ProbeDirectory(directory);
  if (!probe.ok()) {
    return {{Finding::kFail,
             std::string(what),
             absl::StrCat(where, probe.status().message()),
             HintFor(probe.status(), location),
             {}}};
  }
  Findings findings;
  for (const absl::Status& status : {probe->locks, probe->names}) {
    if (status.ok()) continue;
    findings.push_back({Finding::kFail,
                        std::string(what),
                        absl::StrCat(where, status.message()),
                        LockHint(absl::UnimplementedError("")),
                        {}});
  }
  if (!findings.empty()) return findings;
  const std::string behaves =
      absl::StrCat(where, "locks, renames and links work");
  if (IsLocal(Fd(open(directory.c_str(), O_PATH | O_CLOEXEC)))) {
    return {{Finding::kOk, std::string(what), behaves, "", {}}};
  }
  return {{Finding::kWarn,
           std::string(what),
           behaves,
           "other machines that share it may not see the lock",
           {}}};
}

Findings FileSystemFindings(const Location& location) {
  const bool create = location.create_directories;
  const std::string guard = DirectoryOf(location.guard, create);
  const std::string lock_file = DirectoryOf(location.lock_file, create);
  Findings findings = DirectoryFindings("guard", guard, location);
  if (lock_file != guard && location.outside.empty()) {
    Append(DirectoryFindings("lock file", lock_file, location), findings);
  }
  return findings;
}

Finding OutsideFinding(const Location& location) {
  return {Finding::kWarn,
          "lock file",
          absl::StrCat("not written: ", LeadsOutText(location)),
          absl::StrCat("to let o8lock and runs without o8lock see each other, "
                       "make '",
                       ParentOf(location.lock_file), "' a directory"),
          {}};
}

}  // namespace

Findings FileFindings(const Location& location) {
  Findings findings = {GuardFinding(location)};
  for (const std::string& file : location.LockFiles()) {
    if (file == location.lock_file || IdOf(file).ok()) {
      findings.push_back(LockFileFinding(file, location));
    }
  }
  if (!location.outside.empty()) findings.push_back(OutsideFinding(location));
  Append(FileSystemFindings(location), findings);
  return findings;
}

}  // namespace o8lock
