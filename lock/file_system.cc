// SPDX-License-Identifier: Apache-2.0
#include "lock/file_system.h"

#include <sys/vfs.h>

#include <cstdint>
#include <string>

#include "lock/file.h"

namespace o8lock {
namespace {

struct Kind {
  uint32_t magic;
  const char* name;
  bool is_local;
};

// Of linux/magic.h, which has not got all of them.
constexpr Kind kKinds[] = {
    {0xEF53, "ext4", true},        {0x58465342, "xfs", true},
    {0x9123683E, "btrfs", true},   {0x01021994, "tmpfs", true},
    {0x794C7630, "overlay", true}, {0x2FC12FC1, "zfs", true},
    {0xF2F52010, "f2fs", true},    {0xCA451A4E, "bcachefs", true},
    {0x4D44, "vfat", true},        {0x2011BAB0, "exfat", true},
    {0x6969, "nfs", false},        {0xFE534D42, "smb2", false},
    {0xFF534D42, "cifs", false},   {0x01021997, "9p", false},
    {0x65735546, "fuse", false},   {0x00C36400, "ceph", false},
    {0x0BD00BD0, "lustre", false}, {0x01161970, "gfs2", false},
    {0x7461636F, "ocfs2", false},  {0x5346414F, "afs", false},
    {0x786F4256, "vboxsf", false}, {0x7C7C6673, "prl_fs", false},
    {0x9FA0, "proc", false},
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
