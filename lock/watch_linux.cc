// SPDX-License-Identifier: Apache-2.0
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/watch.h"

namespace o8lock {

absl::StatusOr<Watch> Watch::Create() {
  Fd fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd.ok()) return absl::ErrnoToStatus(errno, "cannot watch directories");
  return Watch(std::move(fd));
}

void Watch::Add(const std::string& directory, Report report) {
  uint32_t mask = IN_ONLYDIR | IN_DONT_FOLLOW | IN_CREATE | IN_DELETE |
                  IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;
  if (report == Report::kWrites) mask |= IN_CLOSE_WRITE;
  inotify_add_watch(fd_.get(), directory.c_str(), mask);
}

void Watch::Drain() {
  std::array<char, 4096> events;
  while (read(fd_.get(), events.data(), events.size()) > 0) {
  }
}

}  // namespace o8lock
