// SPDX-License-Identifier: Apache-2.0
#include "lock/file_system.h"

#include <sys/vfs.h>

#include <cstdint>
#include <string>

#include "lock/file.h"

namespace o8lock {
namespace {

struct Kind {
  const char* name;
  uint32_t magic;
  bool is_local;
};

// From linux/magic.h, which lacks some of them.
constexpr Kind kKinds[] = {
    {"ext4", 0xEF53, true},        {"xfs", 0x58465342, true},
    {"btrfs", 0x9123683E, true},   {"tmpfs", 0x01021994, true},
    {"overlay", 0x794C7630, true}, {"zfs", 0x2FC12FC1, true},
    {"f2fs", 0xF2F52010, true},    {"bcachefs", 0xCA451A4E, true},
    {"vfat", 0x4D44, true},        {"exfat", 0x2011BAB0, true},
    {"nfs", 0x6969, false},        {"smb2", 0xFE534D42, false},
    {"cifs", 0xFF534D42, false},   {"9p", 0x01021997, false},
    {"fuse", 0x65735546, false},   {"ceph", 0x00C36400, false},
    {"lustre", 0x0BD00BD0, false}, {"gfs2", 0x01161970, false},
    {"ocfs2", 0x7461636F, false},  {"afs", 0x5346414F, false},
    {"vboxsf", 0x786F4256, false}, {"prl_fs", 0x7C7C6673, false},
    {"proc", 0x9FA0, false},
};

const Kind* KindOf(const struct statfs& info) {
  for (const Kind& kind : kKinds) {
    if (static_cast<uint32_t>(info.f_type) == kind.magic) return &kind;
  }
  return nullptr;
}

}  // namespace

std::string FileSystemOf(const std::string& path) {
  struct statfs info;
  if (statfs(path.c_str(), &info) != 0) return "unknown";
  const Kind* kind = KindOf(info);
  return kind == nullptr ? "unknown" : kind->name;
}

bool IsLocal(const Fd& fd) {
  struct statfs info;
  if (fstatfs(fd.get(), &info) != 0) return false;
  const Kind* kind = KindOf(info);
  return kind != nullptr && kind->is_local;
}

}  // namespace o8lock
