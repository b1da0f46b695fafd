// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/text_testing.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hooks/worktrees.h"
#include "lock/holder.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "tools/cli/report.h"

namespace o8lock {

using ::testing::HasSubstr;
using ::testing::Not;

LockStatus FindHeld() {
  LockStatus found;
  found.state = LockState::kHeld;
  found.file = "/r/.git/o8lock/parallel.guard";
  found.kernel_locked = true;
  found.origin = Origin::kHere;
  found.process = {ProcessState::kRunning, 5};
  Holder holder;
  holder.pid = 12345;
  holder.started_at = "2026-02-25T10:30:00Z";
  holder.features = {"feat-a", "feat-b"};
  holder.command = {"orchestr8", "parallel", "feat-a", "feat-b"};
  holder.cwd = "/r";
  holder.user = "ann";
  holder.host = "box";
  holder.acquired = (kNow.ticks / kTicksPerSecond - 724) * 1000000000;
  found.holder = holder;
  return found;
}

LockStatus FindEvil() {
  LockStatus found = FindHeld();
  found.holder->features = {kEvil};
  found.holder->command = {kEvil};
  found.holder->user = kEvil;
  found.holder->host = kEvil;
  found.holder->started_at = kEvil;
  found.holder->cwd = kEvil;
  found.file = kEvil;
  found.problem = kEvil;
  return found;
}

RunProcess EvilProcess() { return {1, {kEvil}, kEvil}; }

Worktree EvilWorktree() { return {kEvil, kEvil, kEvil, 0, true, true, ""}; }

void ExpectPaintsNoTerminal(const std::string& text) {
  EXPECT_THAT(text, HasSubstr("\\x1b[31mx\\x0a\\xc2\\x9b"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\xc2")));
  EXPECT_THAT(text, Not(HasSubstr("x\n")));
}

}  // namespace o8lock
