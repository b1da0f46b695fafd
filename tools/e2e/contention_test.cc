// SPDX-License-Identifier: Apache-2.0
//
// Many simultaneous starts, from every initial state of a lock. The tests
// detect two runs holding the lock together from outside, in two ways. Each
// run's command creates a marker, which must not exist yet, and logs the time
// it was inside. testdata/contender.cc is this command.
//
// The long form (--config=long) uses 200 contenders in 500 rounds for each
// initial state. A malformed lock file has fewer rounds: each takes one second,
// the time o8lock gives a writer to complete the file. The test log has each
// test's figures, in lines beginning with [ FIGURES  ].
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/file.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Exit codes of testdata/contender.cc.
constexpr int kNaiveRefused = 1;
constexpr int kNaiveCrashed = 3;
constexpr int kCollided = 99;

// The time o8lock allows for a malformed lock file, in nanoseconds.
constexpr int64_t kMalformedFor = 1000000000;

int64_t NowNanoseconds() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

// When a command was inside, and when its start began.
struct Stay {
  int64_t began;
  int64_t start;
  int64_t end;
};

// The number of `stays` that began before an earlier one was over.
int Overlaps(std::vector<Stay> stays) {
  std::sort(stays.begin(), stays.end(),
            [](const Stay& a, const Stay& b) { return a.start < b.start; });
  int overlaps = 0;
  int64_t latest_end = std::numeric_limits<int64_t>::min();
  for (const Stay& stay : stays) {
    if (stay.start <= latest_end) ++overlaps;
    latest_end = std::max(latest_end, stay.end);
  }
  return overlaps;
}

// The role of a process in a round.
enum class Role {
  kContender,  // a run of o8lock
  kHolder,     // a run of o8lock that holds the lock initially
  kNaive,      // a program with its own lock file
};

struct Started {
  Role role;
  pid_t pid;
  std::optional<End> end;
};

// One round: its processes wait at a gate, which opens for all at once.
class Round {
 public:
  // The processes start in `directory`. If `stay`, the winning contender keeps
  // the lock until LetGo().
  Round(std::string directory, bool stay)
      : directory_(std::move(directory)), stay_(stay) {}
  ~Round();
  Round(const Round&) = delete;  // Two owners would end it twice.
  Round& operator=(const Round&) = delete;

  bool stay() const { return stay_; }

  // A command that must be alone, and a program that writes a lock file.
  Argv Alone() const {
    return {PathFromEnv("CONTENDER"), "alone", arena_.path()};
  }
  Argv Naive(const std::string& lock_file) const {
    return {PathFromEnv("CONTENDER"), "naive", lock_file, arena_.path()};
  }
  // The same program, but it checks before StartBefore() returns and writes
  // after LetWrite(), if a test calls that.
  Argv Late(const std::string& lock_file) const {
    return {PathFromEnv("CONTENDER"), "late", lock_file, arena_.path()};
  }

  // Adds a process that executes `argv` when the gate opens. Any role except
  // kNaive gets the current time as an extra argument. If `stay`, the process
  // stays inside until LetGo().
  void AddToGate(Role role, const Argv& argv, bool stay);
  // Starts the same process at once. It stays until the gate opens, or until
  // LetGo(). With kLetGoLast it stays longer than the contenders.
  enum class Until { kGateOpens, kLetGo, kLetGoLast };
  void StartNow(Role role, const Argv& argv, Until until) {
    Start(role, argv, /*at_gate=*/false, InputUntil(until), null_.get());
  }
  // Starts it, waits until it is inside, and returns its reported pid and time.
  std::pair<pid_t, int64_t> StartBefore(Role role, const Argv& argv,
                                        Until until);
  void OpenGate() { gate_.write.Close(); }
  // Waits until all contenders have an answer, except one that may stay.
  void WaitForAnswers() { WaitFor(stay_ ? 1 : 0, /*contenders_only=*/true); }
  // Waits until all processes except `left` have an answer.
  void WaitForAllBut(int left) { WaitFor(left, /*contenders_only=*/false); }
  // Lets the program started with kLetGoLast write its file.
  void LetWrite() { EXPECT_EQ(write(last_hold_.write.get(), "", 1), 1); }
  void WaitUntilOneIsInside() const {
    WaitUntil("a run", [this] { return Exists(arena_.File("marker")); });
  }
  void WaitUntilWritten() { ReadNews('\n'); }
  // Ends the staying contenders, and waits for all contenders.
  void LetContendersGo() {
    hold_.write.Close();
    WaitFor(0, /*contenders_only=*/true);
  }
  // Ends all staying processes, and waits for all processes.
  void LetGo() {
    LetContendersGo();
    last_hold_.write.Close();
    WaitForAllBut(0);
  }

  // A whole round: all processes start, and all have an answer at the end.
  void Play() {
    OpenGate();
    WaitForAnswers();
    LetGo();
  }

  // The number of processes of `role` that ended with `end`, and all processes.
  int CountOf(Role role, const End& end) const;
  const std::vector<Started>& all() const { return all_; }

  // The log of the commands. A killed command logs nothing; AddStay adds its
  // data.
  std::vector<Stay> Stays() const;
  void AddStay(const Stay& stay) { more_stays_.push_back(stay); }
  void RemoveMarker() const {
    EXPECT_EQ(unlink(arena_.File("marker").c_str()), 0);
  }
  // For each naive program that got in: opened, written, end, kept.
  struct NaiveStay {
    int64_t opened, written, end;
    bool kept;
  };
  std::vector<NaiveStay> NaiveStays() const;
  // The stderr of all processes.
  std::string Messages() const { return Contents(arena_.File("messages")); }

 private:
  int InputUntil(Until until) const;
  void Start(Role role, const Argv& argv, bool at_gate, int in, int out);
  void WaitFor(int left, bool contenders_only);
  // Reads the reports of this round's processes, up to `end`.
  std::string ReadNews(char end);

  std::string directory_;
  bool stay_;
  TempDir arena_;
  Pipe gate_ = MakePipe().value();       // all wait for its end of file
  Pipe hold_ = MakePipe().value();       // stdin of the staying processes
  Pipe last_hold_ = MakePipe().value();  // stdin of the one staying longer
  Pipe news_ = MakePipe().value();
  Fd null_{open("/dev/null", O_RDWR | O_CLOEXEC)};
  Fd messages_{open(arena_.File("messages").c_str(),
                    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
  std::vector<Started> all_;
  std::vector<Stay> more_stays_;
};

Round::~Round() {
  for (const Started& started : all_) {
    if (started.end.has_value()) continue;
    kill(started.pid, SIGKILL);
    waitpid(started.pid, nullptr, 0);
  }
}

void Round::AddToGate(Role role, const Argv& argv, bool stay) {
  Start(role, argv, /*at_gate=*/true, stay ? hold_.read.get() : null_.get(),
        null_.get());
  ReadNews('.');
}

int Round::InputUntil(Until until) const {
  switch (until) {
    case Until::kGateOpens:
      return gate_.read.get();
    case Until::kLetGo:
      return hold_.read.get();
    case Until::kLetGoLast:
      return last_hold_.read.get();
  }
  return -1;
}

std::pair<pid_t, int64_t> Round::StartBefore(Role role, const Argv& argv,
                                             Until until) {
  Start(role, argv, /*at_gate=*/false, InputUntil(until), news_.write.get());
  const std::string line = ReadNews('\n');
  std::pair<pid_t, int64_t> inside;
  EXPECT_EQ(sscanf(line.c_str(), "%d %" SCNd64, &inside.first, &inside.second),
            2)
      << line << Messages();
  return inside;
}

void Round::Start(Role role, const Argv& argv, bool at_gate, int in, int out) {
  // Not Process: it starts no two programs simultaneously, and it reads /proc.
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 2);
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  char began[32];
  if (role != Role::kNaive) arguments.push_back(began);
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  ASSERT_GE(pid, 0) << strerror(errno);
  if (pid > 0) {
    all_.push_back({role, pid, std::nullopt});
    return;
  }
  gate_.write.Close();
  if (at_gate) {
    char c;
    if (write(news_.write.get(), ".", 1) != 1 ||
        read(gate_.read.get(), &c, 1) != 0) {
      _exit(127);
    }
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (chdir(directory_.c_str()) != 0 || dup2(in, 0) != 0 || dup2(out, 1) != 1 ||
      dup2(messages_.get(), 2) != 2) {
    _exit(127);
  }
  snprintf(began, sizeof(began), "%" PRId64, NowNanoseconds());
  execv(arguments[0], arguments.data());
  _exit(127);
}

void Round::WaitFor(int left, bool contenders_only) {
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  const auto deadline = std::chrono::steady_clock::now() +
                        3 * std::chrono::seconds(Process::kDeadline);
  while (std::count_if(
             all_.begin(), all_.end(), [contenders_only](const Started& s) {
               return !s.end.has_value() &&
                      (!contenders_only || s.role == Role::kContender);
             }) > left) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    ASSERT_GE(pid, 0) << strerror(errno);
    for (Started& started : all_) {
      if (started.pid == pid) {
        started.end = WIFSIGNALED(status) ? Killed(WTERMSIG(status))
                                          : Exited(WEXITSTATUS(status));
      }
    }
    if (pid > 0) continue;
    ASSERT_LT(std::chrono::steady_clock::now(), deadline)
        << "not all were answered\n"
        << Messages();
    const struct timespec second = {1, 0};
    sigtimedwait(&child_ended, nullptr, &second);
  }
}

std::string Round::ReadNews(char end) {
  std::string news;
  while (news.empty() || news.back() != end) {
    pollfd fd = {news_.read.get(), POLLIN, 0};
    const std::chrono::milliseconds deadline = Process::kDeadline;
    char c = end;
    if (poll(&fd, 1, static_cast<int>(deadline.count())) != 1 ||
        read(fd.fd, &c, 1) != 1) {
      ADD_FAILURE() << "nobody is inside\n" << Messages();
      c = end;
    }
    news += c;
  }
  return news;
}

int Round::CountOf(Role role, const End& end) const {
  return static_cast<int>(
      std::count_if(all_.begin(), all_.end(), [&](const Started& started) {
        return started.role == role && started.end == end;
      }));
}

std::vector<Stay> Round::Stays() const {
  std::vector<Stay> stays = more_stays_;
  if (!Exists(arena_.File("log"))) return stays;
  std::istringstream log(Contents(arena_.File("log")));
  for (Stay s; log >> s.began >> s.start >> s.end;) stays.push_back(s);
  EXPECT_TRUE(log.eof());
  return stays;
}

std::vector<Round::NaiveStay> Round::NaiveStays() const {
  std::vector<NaiveStay> stays;
  if (!Exists(arena_.File("naive"))) return stays;
  std::istringstream log(Contents(arena_.File("naive")));
  for (NaiveStay s; log >> s.opened >> s.written >> s.end >> s.kept;) {
    stays.push_back(s);
  }
  EXPECT_TRUE(log.eof());
  return stays;
}

class ContentionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // For Round::WaitFor.
    sigset_t child_ended;
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ended, nullptr);
    unsetenv("O8LOCK_RUN");
  }
  void TearDown() override {
    EXPECT_EQ(repo_.Changes(), "");
    const std::pair<const char*, int> figures[] = {
        {"rounds", rounds_done_},
        {"contenders", contenders_},
        {"starts", starts_},
        {"runs", runs_},
        {"naive_runs", naive_runs_},
        {"collisions", collisions_},
        {"overlaps", overlaps_},
        {"milliseconds",
         static_cast<int>((NowNanoseconds() - started_at_) / 1000000)}};
    std::cout << "[ FIGURES  ] "
              << ::testing::UnitTest::GetInstance()->current_test_info()->name()
              << ":";
    for (const auto& [name, value] : figures) {
      RecordProperty(name, value);
      std::cout << " " << name << " " << value;
    }
    std::cout << std::endl;
  }

  int Rounds(int bounded, int in_long_form = 500) const {
    return long_form_ ? in_long_form : bounded;
  }
  int contenders() const { return contenders_; }
  void set_contenders(int contenders) { contenders_ = contenders; }
  int naive_contenders() const { return contenders_ / 8; }

  // Calls `play` with a new Round, `rounds` times or until a test has failed.
  // In every second round the winner stays until all others have an answer. In
  // the other rounds the commands are short, and many can run one by one.
  template <typename Play>
  void Repeat(int rounds, Play play) {
    for (int i = 0; i < rounds && !HasFailure(); ++i) {
      SCOPED_TRACE(absl::StrCat("round ", i));
      Round round(repo_.path(), /*stay=*/i % 2 == 0);
      play(round, i);
      Tally(round);
    }
  }

  void Contend(Round& round) const {
    AddContenders(round);
    round.Play();
  }
  void AddContenders(Round& round) const {
    for (int i = 0; i < contenders_; ++i) {
      round.AddToGate(Role::kContender, Under({}, round.Alone()), round.stay());
    }
  }
  // `o8lock OPTIONS... -- COMMAND...`
  static Argv Under(const Argv& options, const Argv& command) {
    Argv argv = O8lock(options);
    argv.emplace_back("--");
    argv.insert(argv.end(), command.begin(), command.end());
    return argv;
  }

  // Expects mutual exclusion: no two commands were inside at once, and each
  // o8lock whose command did not run refused. Also expects no remaining files.
  enum class Runs { kOne, kPerhapsOne };
  void ExpectExclusion(const Round& round, Runs runs) const {
    const int ran = round.CountOf(Role::kContender, Exited(0));
    EXPECT_EQ(round.CountOf(Role::kContender, Exited(75)), contenders_ - ran);
    EXPECT_GE(ran, runs == Runs::kOne ? 1 : 0);
    EXPECT_LE(ran, round.stay() ? 1 : contenders_);
    EXPECT_EQ(round.CountOf(Role::kContender, Exited(kCollided)), 0);
    const std::vector<Stay> stays = round.Stays();
    EXPECT_EQ(Overlaps(stays), 0);
    EXPECT_EQ(stays.size(), ran + round.CountOf(Role::kHolder, Exited(0)) +
                                round.CountOf(Role::kHolder, Killed(SIGKILL)));
    ExpectNothingLeft(repo_);
    EXPECT_THAT(Names(repo_.File(".claude")), IsEmpty());
    if (HasFailure()) ADD_FAILURE() << round.Messages();
  }

  // If another process was present, a round may refuse all contenders. A dead
  // run's files then remain. Expects the next run to take over.
  void ExpectTakenOver(const Round& round) const {
    if (round.CountOf(Role::kContender, Exited(0)) > 0) return;
    EXPECT_EQ(Call(O8lock({"-q", "--", "true"}), repo_.path()).end, Exited(0));
  }

  // For a round with one run: expects all others to name it, and no other
  // messages than `warnings`. If the run waits more than a second for a
  // processor before it writes its record, the others name it by its kernel
  // lock.
  void ExpectMessages(const Round& round, const std::string& warnings) const {
    for (const Started& started : round.all()) {
      if (!(started.end == Exited(0))) continue;
      const std::string messages = round.Messages();
      EXPECT_EQ(
          Count(messages, absl::StrCat("Error: Another parallel execution is "
                                       "in progress (PID: ",
                                       started.pid, ")\n")) +
              Count(messages, absl::StrCat("\nEvidence: the kernel lock is "
                                           "held, process ",
                                           started.pid, " (")),
          contenders_ - 1)
          << messages;
      EXPECT_THAT(messages, HasSubstr(warnings));
      EXPECT_EQ(Count(messages, "Warning: "), Count(warnings, "Warning: "));
      EXPECT_EQ(Count(messages, "o8lock: "), Count(warnings, "o8lock: "));
    }
  }

  // The files a dead run leaves.
  struct Remains {
    std::string record;
    std::string lock_file;
  };
  Remains OfADeadRun() const {
    Guarded run(repo_.path());
    Remains remains = {Contents(repo_.Guard()), Contents(repo_.LockFile())};
    EXPECT_EQ(run.Finish(), Exited(0));
    return remains;
  }
  void Leave(const Remains& remains) const {
    repo_.MakeGuard(remains.record);
    repo_.MakeLockFile(remains.lock_file);
  }

  // The kept copies of malformed lock files.
  std::vector<std::string> KeptCopies() const {
    std::vector<std::string> copies;
    for (const std::string& name : Names(repo_.File(".git/o8lock"))) {
      if (absl::StrContains(name, ".malformed-")) {
        copies.push_back(repo_.File(".git/o8lock/" + name));
      }
    }
    return copies;
  }
  void RemoveKeptCopies() const {
    for (const std::string& copy : KeptCopies()) std::filesystem::remove(copy);
  }

  const Repository repo_;

 private:
  void Tally(const Round& round) {
    ++rounds_done_;
    starts_ += static_cast<int>(round.all().size());
    const std::vector<Stay> stays = round.Stays();
    runs_ += static_cast<int>(stays.size());
    naive_runs_ += static_cast<int>(round.NaiveStays().size());
    collisions_ += round.CountOf(Role::kContender, Exited(kCollided));
    overlaps_ += Overlaps(stays);
  }

  const bool long_form_ = IsLongForm();
  int contenders_ = long_form_ ? 200 : 24;
  const int64_t started_at_ = NowNanoseconds();
  int rounds_done_ = 0;
  int starts_ = 0;
  int runs_ = 0;
  int naive_runs_ = 0;
  int collisions_ = 0;
  int overlaps_ = 0;
};

// --- The detector works ---

using DetectorTest = ContentionTest;

TEST_F(DetectorTest, CountsStaysThatOverlap) {
  EXPECT_EQ(Overlaps({}), 0);
  EXPECT_EQ(Overlaps({{0, 1, 2}, {0, 3, 4}, {0, 5, 6}}), 0);
  EXPECT_EQ(Overlaps({{0, 5, 6}, {0, 1, 2}, {0, 2, 4}}), 1);
  EXPECT_EQ(Overlaps({{0, 1, 9}, {0, 2, 3}, {0, 4, 5}, {0, 10, 11}}), 2);
}

// The first one stays, and all others find its marker.
void ExpectCollisions(Round& round, int contenders) {
  round.Play();
  EXPECT_EQ(round.CountOf(Role::kContender, Exited(0)), 1);
  EXPECT_EQ(round.CountOf(Role::kContender, Exited(kCollided)), contenders - 1);
  EXPECT_EQ(Overlaps(round.Stays()), contenders - 1);
}

TEST_F(DetectorTest, SeesCommandsThatNothingExcludes) {
  Repeat(1, [this](Round& round, int /*i*/) {
    for (int i = 0; i < contenders(); ++i) {
      round.AddToGate(Role::kContender, round.Alone(), /*stay=*/true);
    }
    ExpectCollisions(round, contenders());
  });
}

TEST_F(DetectorTest, SeesRunsThatHaveDifferentLocks) {
  const TempDir locks;
  Repeat(1, [&](Round& round, int /*i*/) {
    for (int i = 0; i < contenders(); ++i) {
      const std::string lock_file = locks.File(absl::StrCat(i));
      round.AddToGate(Role::kContender,
                      Under({"--lock-file", lock_file}, round.Alone()),
                      /*stay=*/true);
    }
    ExpectCollisions(round, contenders());
  });
}

// --- Initial states ---

TEST_F(ContentionTest, FromAFreeLock) {
  Repeat(Rounds(8), [this](Round& round, int /*i*/) {
    Contend(round);
    ExpectExclusion(round, Runs::kOne);
    if (round.stay()) ExpectMessages(round, "");
  });
}

TEST_F(ContentionTest, FromNoGuardDirectory) {
  Repeat(Rounds(8), [this](Round& round, int /*i*/) {
    std::filesystem::remove_all(repo_.File(".git/o8lock"));
    Contend(round);
    ExpectExclusion(round, Runs::kOne);
    if (round.stay()) ExpectMessages(round, "");
  });
}

TEST_F(ContentionTest, FromAStaleLock) {
  const Remains remains = OfADeadRun();
  Repeat(Rounds(8), [&](Round& round, int /*i*/) {
    Leave(remains);
    Contend(round);
    ExpectExclusion(round, Runs::kOne);
    // One of them took over and reported it.
    EXPECT_EQ(Count(round.Messages(), "Warning: "), 1);
    EXPECT_EQ(Count(round.Messages(), "o8lock: "), 0);
  });
}

TEST_F(ContentionTest, FromAMalformedLockFile) {
  Repeat(Rounds(2, 60), [this](Round& round, int /*i*/) {
    repo_.MakeLockFile("{\"pid\": ");
    Contend(round);
    EXPECT_EQ(Count(round.Messages(), "was a malformed lock file"), 1);
    const std::vector<std::string> copies = KeptCopies();
    ASSERT_EQ(copies.size(), 1);
    EXPECT_EQ(Contents(copies[0]), "{\"pid\": ");
    RemoveKeptCopies();
    ExpectExclusion(round, Runs::kOne);
  });
}

// All contenders may already be refused when the holder ends.
TEST_F(ContentionTest, WhenTheHolderJustEnds) {
  Repeat(Rounds(8), [this](Round& round, int /*i*/) {
    round.StartBefore(Role::kHolder, Under({}, round.Alone()),
                      Round::Until::kGateOpens);
    Contend(round);
    EXPECT_EQ(round.CountOf(Role::kHolder, Exited(0)), 1);
    ExpectExclusion(round, Runs::kPerhapsOne);
  });
}

TEST_F(ContentionTest, WhenTheHolderIsJustKilled) {
  Repeat(Rounds(8), [this](Round& round, int i) {
    const auto [command, since] = round.StartBefore(
        Role::kHolder, Under({}, round.Alone()), Round::Until::kLetGo);
    const pid_t wrapper = round.all().front().pid;
    AddContenders(round);
    // It can no longer remove its marker or log. Up to here it was alone.
    round.RemoveMarker();
    round.AddStay({since, since, NowNanoseconds()});
    const bool gate_first = i / 2 % 2 == 0;
    const bool command_first = i / 4 % 2 == 0;
    if (gate_first) round.OpenGate();
    kill(command_first ? command : wrapper, SIGKILL);
    kill(command_first ? wrapper : command, SIGKILL);
    if (!gate_first) round.OpenGate();
    round.WaitForAnswers();
    round.LetGo();
    EXPECT_EQ(round.CountOf(Role::kHolder, Killed(SIGKILL)), 1);
    ExpectTakenOver(round);
    ExpectExclusion(round, Runs::kPerhapsOne);
  });
}

// Few contenders without obstacles, so the lock changes hands as fast as
// possible. Each one retries until it has completed its number of runs.
TEST_F(ContentionTest, WhenFourTakeTurns) {
  constexpr int kTurns = 25;
  constexpr char kScript[] =
      "turns=$1; shift; "
      "while [ $turns -gt 0 ]; do "
      "\"$@\"; code=$?; case $code in "
      "0) turns=$((turns-1));; 75) ;; *) exit $code;; esac; done";
  set_contenders(4);
  Repeat(Rounds(2, 200), [&](Round& round, int /*i*/) {
    const Argv run = Under({"-q"}, round.Alone());
    Argv argv = {"/bin/sh", "-c", kScript, "sh", absl::StrCat(kTurns)};
    argv.insert(argv.end(), run.begin(), run.end());
    for (int i = 0; i < contenders(); ++i) {
      round.AddToGate(Role::kContender, argv, /*stay=*/false);
    }
    round.OpenGate();
    round.LetGo();
    EXPECT_EQ(round.CountOf(Role::kContender, Exited(0)), contenders());
    const std::vector<Stay> stays = round.Stays();
    EXPECT_EQ(stays.size(), contenders() * kTurns);
    EXPECT_EQ(Overlaps(stays), 0);
    EXPECT_EQ(round.Messages(), "");
    ExpectNothingLeft(repo_);
    EXPECT_THAT(Names(repo_.File(".claude")), IsEmpty());
  });
}

// --- Beside programs that write the lock file in place ---
//
// Such a program checks first and writes later. o8lock can promise nothing in
// the following cases:
//   - The program has checked and not yet written: both run.
//   - Two such programs write or remove each other's file.
//   - A program leaves its file empty for a second.
//   - The program opens a file at the very moment o8lock removes it, as a dead
//     run's or as its own. The program then writes into a file without a name.
//
// o8lock promises that its runs exclude each other, whatever such programs do.
// A start refuses because of a file written before the start began, or before
// it published its own lock file. That file stays. A file written over a run's
// lock file also stays, beyond that run's end.

class NaiveTest : public ContentionTest {
 protected:
  void SetUp() override {
    ContentionTest::SetUp();
    std::filesystem::create_directories(repo_.File(".claude"));
  }

  // Expects the text of the longest-staying program to be unchanged after all
  // others have ended, and each later start to be refused. This does not apply
  // if a run could remove a lock file while the program was opening and writing
  // it. `stale`: a dead run's lock file existed.
  void ExpectKept(const Round& round, bool stale) const {
    for (const Round::NaiveStay& naive : round.NaiveStays()) {
      bool promised = naive.written - naive.opened < kMalformedFor;
      bool later = false;
      for (const Stay& stay : round.Stays()) {
        later = later || stay.began > naive.written;
        promised = promised && (stay.began > naive.written ||
                                (naive.written < stay.end &&
                                 (!stale || stay.start < naive.opened)));
      }
      EXPECT_TRUE(naive.kept || !promised);
      EXPECT_FALSE(later && naive.kept);
      if (naive.written - naive.opened >= kMalformedFor) RemoveKeptCopies();
    }
  }
};

TEST_F(NaiveTest, OneThatRunsKeepsAllOut) {
  Repeat(Rounds(8), [this](Round& round, int /*i*/) {
    round.StartBefore(Role::kNaive, round.Naive(repo_.LockFile()),
                      Round::Until::kLetGo);
    struct stat before;
    ASSERT_EQ(stat(repo_.LockFile().c_str(), &before), 0);
    for (int i = 0; i < naive_contenders(); ++i) {
      round.AddToGate(Role::kNaive, round.Naive(repo_.LockFile()),
                      /*stay=*/true);
    }
    AddContenders(round);
    round.OpenGate();
    round.WaitForAllBut(1);
    struct stat after;
    ASSERT_EQ(stat(repo_.LockFile().c_str(), &after), 0);
    EXPECT_EQ(after.st_ino, before.st_ino);
    round.LetGo();
    EXPECT_EQ(round.CountOf(Role::kContender, Exited(75)), contenders());
    EXPECT_EQ(round.CountOf(Role::kNaive, Exited(kNaiveRefused)),
              naive_contenders());
    const std::vector<Round::NaiveStay> stays = round.NaiveStays();
    ASSERT_EQ(stays.size(), 1);
    EXPECT_TRUE(stays[0].kept);
    ExpectExclusion(round, Runs::kPerhapsOne);
  });
}

TEST_F(NaiveTest, OneThatStartsAsWellKeepsWhatItHasWritten) {
  const Remains remains = OfADeadRun();
  Repeat(Rounds(8), [&](Round& round, int i) {
    const bool stale = i / 2 % 2 == 0;
    if (stale) Leave(remains);
    AddContenders(round);
    round.StartNow(Role::kNaive, round.Naive(repo_.LockFile()),
                   Round::Until::kLetGoLast);
    round.Play();
    ExpectKept(round, stale);
    ExpectTakenOver(round);
    ExpectExclusion(round, Runs::kPerhapsOne);
  });
}

// It overwrites the lock file of a run that began after its check.
TEST_F(NaiveTest, OneThatHasCheckedBeforeKeepsWhatItWrites) {
  const Remains remains = OfADeadRun();
  Repeat(Rounds(8), [&](Round& round, int i) {
    const bool stale = i / 2 % 2 == 0;
    if (stale) Leave(remains);
    round.StartBefore(Role::kNaive, round.Late(repo_.LockFile()),
                      Round::Until::kLetGoLast);
    AddContenders(round);
    round.OpenGate();
    if (round.stay()) {
      // A run is inside when the program writes, and ends before it.
      round.WaitForAnswers();
      round.WaitUntilOneIsInside();
      round.LetWrite();
      round.WaitUntilWritten();
      round.LetContendersGo();
      EXPECT_EQ(Call(O8lock({"-q", "--", "true"}), repo_.path()).end,
                Exited(75));
      round.LetGo();
      ExpectExclusion(round, Runs::kOne);
    } else {
      // It writes during the starts, at a different time in each round.
      const int64_t moment = NowNanoseconds() + i % 50 * INT64_C(50000);
      while (NowNanoseconds() < moment) {
      }
      round.LetWrite();
      round.WaitUntilWritten();
      round.LetGo();
      ExpectTakenOver(round);
      ExpectExclusion(round, Runs::kPerhapsOne);
    }
    EXPECT_EQ(round.CountOf(Role::kNaive, Exited(0)), 1);
    ExpectKept(round, stale);
  });
}

TEST_F(NaiveTest, ManyThatStartAsWellDoNotLetTwoRunsIn) {
  const Remains remains = OfADeadRun();
  Repeat(Rounds(8), [&](Round& round, int i) {
    if (i / 2 % 2 == 0) Leave(remains);
    AddContenders(round);
    for (int j = 0; j < naive_contenders(); ++j) {
      round.StartNow(
          Role::kNaive, round.Naive(repo_.LockFile()),
          i / 4 % 2 == 0 ? Round::Until::kLetGo : Round::Until::kGateOpens);
    }
    round.Play();
    EXPECT_EQ(round.CountOf(Role::kNaive, Exited(0)) +
                  round.CountOf(Role::kNaive, Exited(kNaiveRefused)) +
                  round.CountOf(Role::kNaive, Exited(kNaiveCrashed)),
              naive_contenders());
    RemoveKeptCopies();
    ExpectTakenOver(round);
    ExpectExclusion(round, Runs::kPerhapsOne);
  });
}

}  // namespace
}  // namespace o8lock
