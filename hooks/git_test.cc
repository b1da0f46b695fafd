// SPDX-License-Identifier: Apache-2.0
#include "hooks/git.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

TEST(RunProgramTest, HasTheExitCode) {
  const absl::StatusOr<ProgramResult> result =
      RunProgram({"sh", "-c", "echo out; echo err >&2; exit 7"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 7);
  EXPECT_EQ(result->out, "out\n");
  EXPECT_EQ(result->err, "err\n");
}

TEST(RunProgramTest, BlocksNoSignalThatThisProcessBlocks) {
  sigset_t terminate;
  sigset_t before;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &terminate, &before), 0);
  const auto handler = std::signal(SIGPIPE, SIG_IGN);
  for (const char* name : {"TERM", "PIPE"}) {
    const absl::StatusOr<ProgramResult> result =
        RunProgram({"sh", "-c", "kill -$0 $$", name});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_GT(result->exit_code, 128) << name;
  }
  std::signal(SIGPIPE, handler);
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
}

// A lost exit code does not count as success.
TEST(RunProgramTest, FailsIfSomebodyElseHasWaited) {
  const TempDir dir;
  const std::string gate = dir.File("gate");
  ASSERT_EQ(mkfifo(gate.c_str(), 0600), 0);
  std::thread other([&gate] {
    while (waitpid(-1, nullptr, 0) < 0) {
    }
    std::ofstream(gate) << "\n";
  });
  // The background process keeps the output open until `other` has waited for
  // sh.
  const absl::StatusOr<ProgramResult> result =
      RunProgram({"sh", "-c", "read line <\"$0\" &", gate});
  other.join();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(result.status().message(), "the exit code of 'sh' was lost");
}

}  // namespace
}  // namespace o8lock
