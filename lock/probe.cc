// SPDX-License-Identifier: Apache-2.0
#include "lock/probe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "lock/file.h"
#include "lock/kernel_lock.h"
#include "lock/status.h"

namespace o8lock {
namespace {

absl::Status Expect(bool condition, const std::string& what) {
  return condition ? absl::OkStatus() : absl::FailedPreconditionError(what);
}

absl::Status TryLocks(const Fd& one, const Fd& two, const std::string& path) {
  O8LOCK_RETURN_IF_ERROR(TryLock(one, Range::kRun, path));
  absl::Status refused = TryLock(two, Range::kRun, path);
  O8LOCK_RETURN_IF_ERROR(
      Expect(!refused.ok(), "two descriptors hold the same lock at once"));
  if (!absl::IsUnavailable(refused)) return refused;
  O8LOCK_RETURN_IF_ERROR(TryLock(two, Range::kChange, path));
  O8LOCK_ASSIGN_OR_RETURN(const Fd reader, OpenRegular(path, O_RDONLY));
  O8LOCK_ASSIGN_OR_RETURN(const bool seen, IsLocked(reader, Range::kRun, path));
  O8LOCK_RETURN_IF_ERROR(
      Expect(seen, "a lock is not visible to other descriptors"));
  O8LOCK_RETURN_IF_ERROR(Unlock(one, Range::kRun, path));
  return TryLock(two, Range::kRun, path);
}

absl::Status TryNames(const Fd& file, const std::string& path,
                      const std::string& other) {
  if (link(path.c_str(), other.c_str()) == 0 || errno != EEXIST) {
    return absl::FailedPreconditionError(
        "link(2) does not refuse an existing name");
  }
  if (rename(path.c_str(), other.c_str()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("rename '", path, "' to"), other);
  }
  if (link(other.c_str(), path.c_str()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("link '", other, "' to"), path);
  }
  O8LOCK_ASSIGN_OR_RETURN(const FileId id, IdOf(file, path));
  for (const std::string& name : {path, other}) {
    O8LOCK_ASSIGN_OR_RETURN(const FileId named, IdOf(name));
    O8LOCK_RETURN_IF_ERROR(
        Expect(id == named, "a renamed file has another inode"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Probe> ProbeDirectory(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/.o8lock-probe.", getpid());
  const std::string other = path + ".other";
  const absl::Cleanup remove = [&path, &other] {
    unlink(path.c_str());
    unlink(other.c_str());
  };
  O8LOCK_ASSIGN_OR_RETURN(const Fd one,
                          OpenRegular(path, O_RDWR | O_CREAT | O_EXCL, 0600));
  O8LOCK_ASSIGN_OR_RETURN(const Fd two, OpenRegular(path, O_RDWR));
  O8LOCK_RETURN_IF_ERROR(
      OpenRegular(other, O_RDWR | O_CREAT | O_EXCL, 0600).status());
  Probe probe;
  probe.locks = TryLocks(one, two, path);
  probe.names = TryNames(one, path, other);
  return probe;
}

}  // namespace o8lock
