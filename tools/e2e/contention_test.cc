// SPDX-License-Identifier: Apache-2.0
//
// Many starts at once, from every beginning that a lock can have. Whether two
// runs had the lock together is seen from outside of it, in two ways: each
// run's command creates a marker that must not be there, and logs the time it
// was inside. testdata/contender.cc is that command.
//
// The long form (--config=long) is 200 contenders in 500 rounds from each
// beginning, except from a malformed lock file: there every round takes the
// second that o8lock gives a writer to complete the file. What a test did is in
// its log, in lines that begin with [ FIGURES  ].
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

// How long o8lock lets a lock file be malformed.
constexpr int64_t kMalformedFor = 1000000000;

int64_t NowNanoseconds() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

// The time that a command was inside, and when its start was begun.
struct Stay {
  int64_t began;
  int64_t start;
  int64_t end;
};

// How many of `stays` began before one that had begun earlier was over.
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

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Pipe MakePipe() {
  int fds[2];
  EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0) << strerror(errno);
  return {Fd(fds[0]), Fd(fds[1])};
}

// What a process is in a round.
enum class Role {
  kContender,  // a run of o8lock
  kHolder,     // a run of o8lock that has the lock at the beginning
  kNaive,      // a program that keeps a lock file of its own
};

struct Started {
  Role role;
  pid_t pid;
  std::optional<End> end;
};

// One round: processes that wait at a gate, which opens for all at once.
class Round {
 public:
  // They start in `directory`. The contender that gets in stays if `stay`.
  Round(std::string directory, bool stay)
      : directory_(std::move(directory)), stay_(stay) {}
  ~Round();
  Round(const Round&) = delete;  // Two owners would end it twice.
  Round& operator=(const Round&) = delete;

  bool stay() const { return stay_; }

  // The command that must be alone, and a program that keeps a lock file.
  Argv Alone() const {
    return {PathFromEnv("CONTENDER"), "alone", arena_.path()};
  }
  Argv Naive(const std::string& lock_file) const {
    return {PathFromEnv("CONTENDER"), "naive", lock_file, arena_.path()};
  }
  // The same, which looks before StartBefore() returns and writes after
  // LetWrite(), if that is called.
  Argv Late(const std::string& lock_file) const {
    return {PathFromEnv("CONTENDER"), "late", lock_file, arena_.path()};
  }

  // A process that executes `argv`, with the time of that as one more argument,
  // when the gate opens. Once inside it stays until LetGo() if `stay`.
  void AddToGate(Role role, const Argv& argv, bool stay);
  // The same at once. It stays until the gate opens, or until LetGo(), as the
  // contenders do or longer.
  enum class Until { kGateOpens, kLetGo, kLetGoLast };
  void StartNow(Role role, const Argv& argv, Until until) {
    Start(role, argv, /*at_gate=*/false, InputUntil(until), null_.get());
  }
  // Waits besides until it is inside, and returns what it says then: its pid
  // and the time.
  std::pair<pid_t, int64_t> StartBefore(Role role, const Argv& argv,
                                        Until until);
  void OpenGate() { gate_.write_end.Close(); }
  // Waits until all contenders but one, which may stay, were answered.
  void WaitForAnswers() { WaitFor(stay_ ? 1 : 0, /*contenders_only=*/true); }
  // Waits until everybody but `left` was answered.
  void WaitForAllBut(int left) { WaitFor(left, /*contenders_only=*/false); }
  // The program that was started until kLetGoLast may write; it has written.
  void LetWrite() { EXPECT_EQ(write(last_hold_.write_end.get(), "", 1), 1); }
  void WaitUntilOneIsInside() const {
    WaitUntil("a run", [this] { return Exists(arena_.File("marker")); });
  }
  void WaitUntilWritten() { ReadNews('\n'); }
  // The contenders that stay end, and all contenders are waited for.
  void LetContendersGo() {
    hold_.write_end.Close();
    WaitFor(0, /*contenders_only=*/true);
  }
  // Whoever stays ends, and everybody is waited for.
  void LetGo() {
    LetContendersGo();
    last_hold_.write_end.Close();
    WaitForAllBut(0);
  }

  // All of that: everybody starts, and in the end all have been answered.
  void Play() {
    OpenGate();
    WaitForAnswers();
    LetGo();
  }

  // How many of `role` ended so; all of them.
  int CountOf(Role role, const End& end) const;
  const std::vector<Started>& all() const { return all_; }

  // What the commands logged. A command that was killed logs nothing: what is
  // known of it.
  std::vector<Stay> Stays() const;
  void AddStay(const Stay& stay) { more_stays_.push_back(stay); }
  void RemoveMarker() const {
    EXPECT_EQ(unlink(arena_.File("marker").c_str()), 0);
  }
  // Of each naive program that got in: opened, written, end, kept.
  struct NaiveStay {
    int64_t opened, written, end;
    bool kept;
  };
  std::vector<NaiveStay> NaiveStays() const;
  // What all wrote to stderr.
  std::string Messages() const { return Contents(arena_.File("messages")); }

 private:
  int InputUntil(Until until) const;
  void Start(Role role, const Argv& argv, bool at_gate, int in, int out);
  void WaitFor(int left, bool contenders_only);
  // Reads what the processes of this round say, up to `end`.
  std::string ReadNews(char end);

  std::string directory_;
  bool stay_;
  TempDir arena_;
  Pipe gate_ = MakePipe();       // all wait for its end of file
  Pipe hold_ = MakePipe();       // the stdin of those who stay
  Pipe last_hold_ = MakePipe();  // of the one who stays longer
  Pipe news_ = MakePipe();
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
  Start(role, argv, /*at_gate=*/true, stay ? hold_.read_end.get() : null_.get(),
        null_.get());
  ReadNews('.');
}

int Round::InputUntil(Until until) const {
  switch (until) {
    case Until::kGateOpens:
      return gate_.read_end.get();
    case Until::kLetGo:
      return hold_.read_end.get();
    case Until::kLetGoLast:
      return last_hold_.read_end.get();
  }
  return -1;
}

std::pair<pid_t, int64_t> Round::StartBefore(Role role, const Argv& argv,
                                             Until until) {
  Start(role, argv, /*at_gate=*/false, InputUntil(until),
        news_.write_end.get());
  const std::string line = ReadNews('\n');
  std::pair<pid_t, int64_t> inside;
  EXPECT_EQ(sscanf(line.c_str(), "%d %" SCNd64, &inside.first, &inside.second),
            2)
      << line << Messages();
  return inside;
}

void Round::Start(Role role, const Argv& argv, bool at_gate, int in, int out) {
  // Not Process, of which no two start together, and which looks through /proc.
  std::vector<char*> words;
  words.reserve(argv.size() + 2);
  for (const std::string& word : argv) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  char began[32];
  words.push_back(began);
  words.push_back(nullptr);
  const pid_t pid = fork();
  ASSERT_GE(pid, 0) << strerror(errno);
  if (pid > 0) {
    all_.push_back({role, pid, std::nullopt});
    return;
  }
  gate_.write_end.Close();
  if (at_gate) {
    char c;
    if (write(news_.write_end.get(), ".", 1) != 1 ||
        read(gate_.read_end.get(), &c, 1) != 0) {
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
  execv(words[0], words.data());
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
    pollfd fd = {news_.read_end.get(), POLLIN, 0};
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

  // Calls `play` with a new Round, `rounds` times or until a test failed. In
  // every second round whoever gets in stays until all others were answered; in
  // the rounds between, the commands are short and many can run one by one.
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
  // o8lock OPTIONS... -- COMMAND...
  static Argv Under(const Argv& options, const Argv& command) {
    Argv argv = O8lock(options);
    argv.emplace_back("--");
    argv.insert(argv.end(), command.begin(), command.end());
    return argv;
  }

  // Expects that no two commands were inside at once, that all o8locks but
  // those whose command ran refused, and that nothing is left.
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

  // What a dead run left stays if all were refused in a round because somebody
  // else was there. Expects that the next one takes over then.
  void ExpectTakenOver(const Round& round) const {
    if (round.CountOf(Role::kContender, Exited(0)) > 0) return;
    EXPECT_EQ(Call(O8lock({"-q", "--", "true"}), repo_.path()).end, Exited(0));
  }

  // Expects of a round in which one ran that all others named it, and that
  // `warnings` is what was said besides. While it waits for a processor for a
  // second before it writes its record, its kernel lock names it.
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

  // What a dead run leaves.
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

  // The copies that are kept of malformed lock files.
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

// --- The detector sees what it is for ---

using DetectorTest = ContentionTest;

TEST_F(DetectorTest, CountsStaysThatOverlap) {
  EXPECT_EQ(Overlaps({}), 0);
  EXPECT_EQ(Overlaps({{0, 1, 2}, {0, 3, 4}, {0, 5, 6}}), 0);
  EXPECT_EQ(Overlaps({{0, 5, 6}, {0, 1, 2}, {0, 2, 4}}), 1);
  EXPECT_EQ(Overlaps({{0, 1, 9}, {0, 2, 3}, {0, 4, 5}, {0, 10, 11}}), 2);
}

// The first stays, and every other one finds its marker.
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

// --- Beginnings ---

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
    // One of them took over and said so.
    EXPECT_EQ(Count(round.Messages(), "Warning: "), 1);
    EXPECT_EQ(Count(round.Messages(), "o8lock: "), 0);
  });
}

TEST_F(ContentionTest, FromAMalformedLockFile) {
  Repeat(Rounds(2, 60), [this](Round& round, int /*i*/) {
    repo_.MakeLockFile("{\"pid\": ");
    Contend(round);
    EXPECT_EQ(Count(round.Messages(), "was not a lock file"), 1);
    const std::vector<std::string> copies = KeptCopies();
    ASSERT_EQ(copies.size(), 1);
    EXPECT_EQ(Contents(copies[0]), "{\"pid\": ");
    RemoveKeptCopies();
    ExpectExclusion(round, Runs::kOne);
  });
}

// All may have been refused when the holder is gone.
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
    // It cannot remove its marker or log any more; but up to here it was alone.
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

// Few, on whose way nobody is, so that the lock changes hands as fast as it
// can: each tries until it has run so many times.
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
// Such a program looks, and writes later. Beside one that has looked and not
// yet written o8lock can promise nothing: both run. Nor can it if two of them
// write or remove each other's file, or if one leaves its file empty for a
// second. And a file that is being opened at the very moment in which o8lock
// removes a dead run's, or its own, can get lost: the program then writes into
// what has no name any more.
//
// What is promised: whatever such programs do, runs of o8lock exclude each
// other. A file that was written before a start began, or before it gave its
// own lock file the name, makes it refuse, and stays. So does one that was
// written over a run's lock file, beyond that run's end.

class NaiveTest : public ContentionTest {
 protected:
  void SetUp() override {
    ContentionTest::SetUp();
    std::filesystem::create_directories(repo_.File(".claude"));
  }

  // Expects that what the program that stayed longest wrote was still there
  // when all others had ended, and that no start that began later ran; unless a
  // run could remove a lock file while it was opening and writing it. `stale`:
  // there was one of a dead run.
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

// It writes over the lock file of a run that began after it had looked.
TEST_F(NaiveTest, OneThatHasLookedBeforeKeepsWhatItWrites) {
  const Remains remains = OfADeadRun();
  Repeat(Rounds(8), [&](Round& round, int i) {
    const bool stale = i / 2 % 2 == 0;
    if (stale) Leave(remains);
    round.StartBefore(Role::kNaive, round.Late(repo_.LockFile()),
                      Round::Until::kLetGoLast);
    AddContenders(round);
    round.OpenGate();
    if (round.stay()) {
      // A run is inside when it writes, and ends before it.
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
      // It writes while they start, in every round at another moment.
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
