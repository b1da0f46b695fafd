// SPDX-License-Identifier: Apache-2.0
//
// A lock across several machines, as in the manual: with-etcd inside o8lock,
// with Debian's etcd. Each machine is represented by a repository.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kRefused[] =
    "with-etcd: another machine has shop, or etcd does not answer\n";

// An address without a listener.
std::string FreeAddress() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(fd, any, size), 0);
  EXPECT_EQ(getsockname(fd, any, &size), 0);
  close(fd);
  return absl::StrCat("http://127.0.0.1:", ntohs(address.sin_port));
}

class EtcdTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!(RunToEnd(Shell("command -v etcd && command -v etcdctl")) ==
          Exited(0))) {
      GTEST_SKIP() << "needs etcd-server and etcd-client";
    }
    address_ = FreeAddress();
    etcd_ = std::make_unique<Process>(
        Argv{"etcd", "--data-dir", data_.File("data"), "--listen-client-urls",
             address_, "--advertise-client-urls", address_,
             "--listen-peer-urls", "http://127.0.0.1:0"});
    etcd_->WaitForError("ready to serve client requests");
  }

  ProcessOptions Inside(const Repository& repo) const {
    ProcessOptions options = In(repo.path());
    options.env["ETCDCTL_API"] = "3";
    options.env["ETCDCTL_ENDPOINTS"] = address_;
    return options;
  }

  // With `script` in place of etcdctl.
  ProcessOptions WithStub(const std::string& script) const {
    MakeFile(bin_.File("etcdctl"), "#!/bin/sh\n" + script, 0755);
    ProcessOptions options = Inside(here_);
    options.env["PATH"] = absl::StrCat(bin_.path(), ":", getenv("PATH"));
    return options;
  }

  // o8lock -- with-etcd shop SECONDS COMMAND...
  static Argv Both(int seconds, const Argv& command) {
    Argv argv =
        O8lock({"--",
                std::filesystem::path(PathFromEnv("INSTALL")).parent_path() /
                    "share/doc/o8lock/examples/with-etcd",
                "shop", absl::StrCat(seconds)});
    argv.insert(argv.end(), command.begin(), command.end());
    return argv;
  }
  std::unique_ptr<Guarded> Run(const Repository& repo) const {
    return std::make_unique<Guarded>(Both(30, Shell(Guarded::kScript)),
                                     Inside(repo));
  }
  Result Try(const Repository& repo) const {
    return Call(Both(1, {"touch", "ran"}), Inside(repo));
  }
  std::string Etcdctl(const Argv& arguments) const {
    Argv argv = {"etcdctl"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return Call(argv, Inside(here_)).out;
  }
  void ExpectFree() const {
    ExpectNothingLeft(here_);
    WaitUntil("the key's end", [this] {
      return Etcdctl({"get", "--prefix", "shop"}).empty();
    });
  }

  const Repository& here() const { return here_; }
  const Repository& there() const { return there_; }

 private:
  Repository here_;
  Repository there_;
  TempDir bin_;
  TempDir data_;
  std::string address_;
  std::unique_ptr<Process> etcd_;
};

TEST_F(EtcdTest, CommandKeepsItsExitCode) {
  const auto run = Run(here());
  EXPECT_EQ(run->Finish(5), Exited(5));
  EXPECT_EQ(run->err(), "");
  ExpectFree();
}

TEST_F(EtcdTest, CommandGetsTheSignal) {
  const auto run = Run(here());
  run->process().Signal(SIGTERM);
  EXPECT_EQ(run->process().Wait(), Killed(SIGTERM));
  EXPECT_EQ(run->err(), "");
  ExpectFree();
}

TEST_F(EtcdTest, BothMachinesRefuse) {
  const auto run = Run(here());
  const Result same = Try(here());
  EXPECT_EQ(same.end, Exited(75));
  EXPECT_THAT(same.err, HasSubstr("Another parallel execution is in progress"));
  const Result other = Try(there());
  EXPECT_EQ(other.end, Exited(75));
  EXPECT_EQ(other.err, kRefused);
  EXPECT_FALSE(Exists(there().File("ran")));

  EXPECT_EQ(run->Finish(), Exited(0));
  ExpectFree();
  EXPECT_EQ(Try(there()).end, Exited(0));
  EXPECT_TRUE(Exists(there().File("ran")));
}

TEST_F(EtcdTest, KilledCommandFreesTheKey) {
  const auto run = Run(here());
  kill(run->command_pid(), SIGKILL);
  EXPECT_EQ(run->process().Wait(), Killed(SIGKILL));
  ExpectFree();
}

TEST_F(EtcdTest, LostLeaseEndsTheCommand) {
  const auto run = Run(here());
  EXPECT_EQ(Etcdctl({"del", "--prefix", "shop"}), "1\n");
  const std::string leases = Etcdctl({"lease", "list"});
  const std::string lease = leases.substr(leases.find('\n') + 1, 16);
  EXPECT_THAT(Etcdctl({"lease", "revoke", lease}), HasSubstr("revoked"));
  EXPECT_EQ(run->process().Wait(), Killed(SIGTERM));
  ExpectFree();
}

TEST_F(EtcdTest, CtrlCIsForTheCommand) {
  ProcessOptions options = Inside(here());
  options.terminal = true;
  Guarded run(Both(30, Shell("trap 'echo caught' INT; echo ready $$; "
                             "until read code; do :; done; exit $code")),
              options);
  run.process().Write("\x03");
  run.process().WaitForOutput("caught");
  EXPECT_NE(Etcdctl({"get", "--prefix", "shop"}), "");
  EXPECT_EQ(run.Finish(5), Exited(5));
  ExpectFree();
}

TEST_F(EtcdTest, WithoutAnAnswerNothingRuns) {
  ProcessOptions options = Inside(here());
  options.env["ETCDCTL_ENDPOINTS"] = FreeAddress();
  const Result result = Call(Both(1, {"touch", "ran"}), options);
  EXPECT_EQ(result.end, Exited(75));
  EXPECT_EQ(result.err, kRefused);
  EXPECT_FALSE(Exists(here().File("ran")));
  ExpectNothingLeft(here());
}

TEST_F(EtcdTest, WithoutEtcdctlNothingRuns) {
  const ProcessOptions options = WithStub("echo broken >&2; exit 1");
  const Result result = Call(Both(30, {"touch", "ran"}), options);
  EXPECT_EQ(result.end, Exited(71));
  EXPECT_THAT(result.err, StartsWith("with-etcd: etcdctl: broken\n"));
  EXPECT_FALSE(Exists(here().File("ran")));
  ExpectNothingLeft(here());
}

TEST_F(EtcdTest, EtcdctlMayWriteMoreThanItsAnswer) {
  Guarded run(Both(30, Shell(Guarded::kScript)),
              WithStub("echo shop/1; until [ -e go ]; do sleep 0.01; done; "
                       "echo; touch went; exec sleep 60"));
  MakeFile(here().File("go"), "");
  WaitUntil("the second line", [this] { return Exists(here().File("went")); });
  EXPECT_EQ(run.Finish(5), Exited(5));
}

}  // namespace
}  // namespace o8lock
