// SPDX-License-Identifier: Apache-2.0
#include "lock/view.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "lock/file.h"
#include "lock/file_system.h"
#include "lock/guard.h"
#include "lock/holder.h"
#include "lock/this_run.h"

namespace o8lock {
namespace {

// The run may write its record at the same time and overwrite the mark.
constexpr int kTries = 3;

std::string ReadMark(const Fd& fd) {
  // Bypasses the cache of FUSE and network file systems.
  posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  std::string mark(kMarkSize, '\0');
  const ssize_t got = pread(fd.get(), &mark[0], kMarkSize, kMarkOffset);
  return got == static_cast<ssize_t>(kMarkSize) ? mark : "";
}

// The file locked by the run; empty if it is out of reach.
Fd OpenLocked(const Holder& record, int pid) {
  // The path as the run's process sees it, and as this process sees it.
  for (const std::string& path :
       {absl::StrCat("/proc/", pid, "/root", record.guard), record.guard}) {
    absl::StatusOr<Fd> fd = OpenRegular(path, O_RDONLY);
    if (!fd.ok()) continue;
    const std::optional<Holder> its = ReadRecord(*fd, path);
    if (its.has_value() && its->token == record.token) return *std::move(fd);
  }
  return Fd();
}

View MarkAndView(const Holder& record, const Fd& guard, int pid) {
  int differs = 0;
  for (int i = 0; i < kTries; ++i) {
    const absl::StatusOr<std::string> mark = NewToken();
    if (!mark.ok() ||
        pwrite(guard.get(), mark->data(), kMarkSize, kMarkOffset) !=
            static_cast<ssize_t>(kMarkSize) ||
        fdatasync(guard.get()) != 0) {
      return View::kUnknown;
    }
    // Opened again each time: without this, these file systems may use their
    // cache.
    const Fd locked = OpenLocked(record, pid);
    if (!locked.ok()) return View::kUnknown;
    if (ReadMark(locked) == *mark) return View::kSame;
    if (ReadMark(guard) == *mark) ++differs;
  }
  return differs == kTries ? View::kCopy : View::kUnknown;
}

}  // namespace

View ViewOf(const Holder& record, const Fd& guard, int pid, bool may_mark) {
  const absl::StatusOr<FileId> id = IdOf(guard, record.guard);
  if (!id.ok()) return View::kUnknown;
  if (*id == record.guard_id) return View::kSame;
  // Each of these file systems shows a file under one number only.
  if (record.guard_is_local && IsLocal(guard)) return View::kCopy;
  if (pid == 0 || !may_mark) return View::kUnknown;
  return MarkAndView(record, guard, pid);
}

}  // namespace o8lock
