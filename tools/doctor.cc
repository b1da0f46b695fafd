// SPDX-License-Identifier: Apache-2.0
#include "tools/doctor.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "lock/location.h"
#include "lock/probe.h"
#include "lock/process.h"
#include "tools/text.h"

namespace o8lock {
namespace {

// The directory of `file`, or, if o8lock would `create` it, the one in which.
std::string DirectoryOf(const std::string& file, bool create) {
  std::string directory = file.substr(0, file.rfind('/'));
  while (create && !directory.empty() && access(directory.c_str(), F_OK) != 0) {
    directory.resize(directory.rfind('/'));
  }
  return directory.empty() ? "/" : directory;
}

// Whether other machines may have the same files: their kernels have locks of
// their own, and need not tell this one.
bool IsShared(absl::string_view file_system) {
  for (const absl::string_view kind :
       {"nfs", "cifs", "smb", "9p", "virtiofs", "vboxsf", "fuse", "ceph",
        "glusterfs", "afs", "lustre", "ocfs2", "gfs2", "prl_fs"}) {
    if (absl::StartsWith(file_system, kind)) return true;
  }
  return false;
}

void ExamineDirectory(absl::string_view what, const std::string& directory,
                      std::vector<Finding>& findings) {
  const std::string file_system = FileSystemOf(directory);
  const std::string where =
      absl::StrCat(what, ": ", directory, " (", file_system, "): ");
  const absl::StatusOr<Probe> probe = ProbeDirectory(directory);
  if (!probe.ok()) {
    findings.push_back(
        {Finding::kFail, absl::StrCat(where, probe.status().message()),
         "get write permission and room there, or use a lock file of your own: "
         "--lock-file FILE"});
    return;
  }
  for (const absl::Status& status : {probe->locks, probe->names}) {
    if (status.ok()) continue;
    findings.push_back(
        {Finding::kFail, absl::StrCat(where, status.message()),
         "keep the lock on another file system: --lock-file FILE"});
  }
  if (!probe->locks.ok() || !probe->names.ok()) return;
  const std::string behaves =
      absl::StrCat(where, "locks exclude, rename and link behave");
  if (IsShared(file_system)) {
    findings.push_back({Finding::kWarn, behaves,
                        "on this machine; another one that shares it may not "
                        "see the lock"});
  } else {
    findings.push_back({Finding::kOk, behaves, ""});
  }
}

}  // namespace

std::vector<Finding> Examine(const Location& location) {
  std::vector<Finding> findings;
  const bool create = location.create_directories;
  const std::string guard = DirectoryOf(location.guard, create);
  const std::string lock_file = DirectoryOf(location.lock_file, create);
  ExamineDirectory("guard", guard, findings);
  if (lock_file != guard) ExamineDirectory("lock file", lock_file, findings);
  return findings;
}

std::string DoctorText(const std::vector<Finding>& findings) {
  constexpr absl::string_view kLevels[] = {"ok    ", "warn  ", "fail  "};
  std::string text;
  for (const Finding& finding : findings) {
    absl::StrAppend(&text, kLevels[finding.level], Printable(finding.text),
                    "\n");
    if (!finding.hint.empty()) {
      absl::StrAppend(&text, "      ", Printable(finding.hint), "\n");
    }
  }
  return text;
}

}  // namespace o8lock
