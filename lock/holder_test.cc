// SPDX-License-Identifier: Apache-2.0
#include "lock/holder.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "lock/json.h"
#include "lock/lock_status.h"
#include "lock/timestamp.h"

namespace o8lock {
namespace {

Holder FullHolder() {
  Holder holder;
  holder.pid = 12345;
  holder.started_at = "2026-02-25T10:30:00Z";
  holder.features = {"feat-a", "feat-b"};
  holder.max_concurrency = 3;
  holder.command = {"orchestr8", "parallel", "a \"b\"\n\x1b"};
  holder.cwd = "/r";
  holder.user = "ann";
  holder.host = "box";
  holder.boot_id = "b-1";
  holder.pid_namespace = 4026531836;
  holder.acquired = 18;
  holder.taken_since = 16;
  holder.token = "0123";
  holder.version = "9.9.9";
  holder.began = 1772015400500000000;
  holder.surviving = {{77, 20, 70, "/r/w"}};
  holder.orphaned = {{"feat-a", 1772015401000000000, true, "89"}};
  holder.unpublished = "the setting says so";
  holder.overridden_by = Overrider{7, "2026-02-25T10:31:00Z", "bob", "hut"};
  return holder;
}

TEST(LockFileTextTest, IsTheSpecificationsSampleToTheByte) {
  EXPECT_EQ(LockFileText(FullHolder()),
            "{\n"
            "  \"pid\": 12345,\n"
            "  \"startedAt\": \"2026-02-25T10:30:00Z\",\n"
            "  \"features\": [\"feat-a\", \"feat-b\"],\n"
            "  \"maxConcurrency\": 3\n"
            "}\n");
}

TEST(LockFileTextTest, HasAnEmptyListForNoFeatures) {
  Holder holder = FullHolder();
  holder.features.clear();
  EXPECT_NE(LockFileText(holder).find("  \"features\": [],\n"),
            std::string::npos);
}

TEST(RecordTextTest, IsReadBackWhole) {
  const Holder wrote = FullHolder();
  const absl::StatusOr<Holder> read = ParseHolder(RecordText(wrote));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(RecordText(*read), RecordText(wrote));
  EXPECT_EQ(read->command, wrote.command);
  EXPECT_EQ(read->unpublished, wrote.unpublished);
  EXPECT_EQ(read->overridden_by->host, "hut");
}

TEST(RecordTextTest, IsOneLine) {
  EXPECT_EQ(RecordText(FullHolder()).find('\n'),
            RecordText(FullHolder()).size() - 1);
}

struct ReadCase {
  const char* text;
  int pid;
  const char* started_at;
  std::vector<std::string> features;
  std::optional<int> max_concurrency;
};

TEST(ParseHolderTest, ReadsLiberally) {
  const ReadCase cases[] = {
      // The format of orchestr8 3 and 4: milliseconds, no maxConcurrency.
      {"{\n  \"pid\": 1508,\n  \"startedAt\": \"2026-11-23T14:49:05.764Z\",\n"
       "  \"features\": [\n    \"feat-a\",\n    \"feat-b\"\n  ]\n}",
       1508,
       "2026-11-23T14:49:05.764Z",
       {"feat-a", "feat-b"},
       {}},
      {R"({"maxConcurrency":2,"features":[],"startedAt":"s","pid":1})",
       1,
       "s",
       {},
       2},
      {R"({"pid":1,"mode":"x","nested":{"pid":9}})", 1, "", {}, {}},
      {R"({"pid":7,"pid":8})", 8, "", {}, {}},
      {R"({"pid":2147483647})", 2147483647, "", {}, {}},
      {R"({"pid":1,"features":"feat-a","startedAt":5,"maxConcurrency":"3"})",
       1,
       "",
       {},
       {}},
      {R"({"pid":1,"features":["a",1,null,"b"]})", 1, "", {"a", "b"}, {}},
      {R"( {"pid":1} )", 1, "", {}, {}},
      // Node.js treats a string of digits as this number.
      {R"({"pid":"123"})", 123, "", {}, {}},
      {R"({"pid":"007"})", 7, "", {}, {}},
      {R"({"pid":" 12\n"})", 12, "", {}, {}},
      {R"({"pid":1.0})", 1, "", {}, {}},
      {R"({"pid":12e1})", 120, "", {}, {}},
  };
  for (const ReadCase& c : cases) {
    const absl::StatusOr<Holder> holder = ParseHolder(c.text);
    ASSERT_TRUE(holder.ok()) << c.text << holder.status();
    EXPECT_EQ(holder->pid, c.pid) << c.text;
    EXPECT_EQ(holder->started_at, c.started_at) << c.text;
    EXPECT_EQ(holder->features, c.features) << c.text;
    EXPECT_EQ(holder->max_concurrency, c.max_concurrency) << c.text;
  }
}

TEST(ParseHolderTest, RefusesWhatIsNoObject) {
  const std::string nul("{\"pid\":1}\0x", 11);
  for (const std::string& text :
       {std::string(), std::string(" "), std::string("null"),
        std::string("[1]"), std::string("\"x\""), std::string("12"),
        std::string("{"), std::string("{\"pid\": 1508,\n  \"star"),
        std::string("{\"pid\":1}{"),
        std::string("\x7f"
                    "ELF\x02"),
        std::string("{\"pid\":1e999}"), nul}) {
    const absl::StatusOr<Holder> holder = ParseHolder(text);
    EXPECT_EQ(holder.status(), absl::InvalidArgumentError("not a JSON object"))
        << text;
  }
}

TEST(ParseHolderTest, RefusesAPidThatIsNone) {
  for (const char* pid : {"0", "-1", "1.5", "2147483648", "1e99", "null", "[1]",
                          "{}", "true", "\"\"", "\"0\"", "\"-1\"", "\"+1\"",
                          "\" \"", "\"1x\"", "\"2147483648\""}) {
    const absl::StatusOr<Holder> holder =
        ParseHolder(std::string("{\"pid\":") + pid + "}");
    EXPECT_EQ(holder.status(),
              absl::InvalidArgumentError(
                  "pid is not a whole number from 1 to 2147483647"))
        << pid;
  }
  EXPECT_EQ(ParseHolder("{}").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ParseHolderTest, SurvivesAMillionLevels) {
  for (const char* bracket : {"[", "{\"a\":"}) {
    std::string deep = "{\"pid\":1,\"x\":";
    for (int i = 0; i < 1000000; ++i) deep += bracket;
    EXPECT_EQ(ParseHolder(deep).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  std::string closed = "{\"pid\":1,\"x\":" + std::string(100000, '[') +
                       std::string(100000, ']') + "}";
  EXPECT_TRUE(ParseHolder(closed).ok());
}

TEST(ParseConfigTest, TakesAWholeNumberAndAText) {
  const ConfigJson config =
      ParseConfig(R"({"maxConcurrency": 5, "worktreeDir": "w"})");
  EXPECT_EQ(config.max_concurrency, 5);
  EXPECT_EQ(config.worktree_directory, "w");
  for (const char* text :
       {R"({"maxConcurrency": "5", "worktreeDir": 5})", "{}", "no"}) {
    EXPECT_EQ(ParseConfig(text).max_concurrency, std::nullopt) << text;
    EXPECT_EQ(ParseConfig(text).worktree_directory, "") << text;
  }
}

TEST(TimeTest, IsWrittenAndReadInUtc) {
  EXPECT_EQ(FormatTime(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(1772015400), "2026-02-25T10:30:00Z");
  EXPECT_EQ(FormatTime(4107542400), "2100-03-01T00:00:00Z");
  EXPECT_EQ(ParseTime("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseTime("2026-02-25T10:30:00Z"), 1772015400);
  EXPECT_EQ(ParseTime("2026-02-25T10:30:00.764Z"), 1772015400);
  EXPECT_EQ(ParseTime("9999-12-31T23:59:59Z"), 253402300799);
}

TEST(TimeTest, IsReadToTheNanosecond) {
  EXPECT_EQ(ParseTimeNanoseconds("1970-01-01T00:00:07Z"), 7000000000);
  EXPECT_EQ(ParseTimeNanoseconds("1970-01-01T00:00:07.25Z"), 7250000000);
  EXPECT_EQ(ParseTimeNanoseconds("1970-01-01T00:00:07.1234567891Z"),
            7123456789);
  EXPECT_EQ(ParseTimeNanoseconds("9999-12-31T23:59:59Z"), 9000000000000000000);
  EXPECT_EQ(ParseTimeNanoseconds("7"), std::nullopt);
}

TEST(TimeTest, RefusesOtherForms) {
  for (const char* text :
       {"", "Z", "now", "2026-02-25", "2026-02-25T10:30:00",
        "2026-02-25 10:30:00Z", "2026-02-25T10:30:00+01:00",
        "2026-02-25T10:30:00.Z", "2026-02-25T10:30:00.7x4Z",
        "2026-02-31T10:30:00Z", "2026-13-01T10:30:00Z", "2026-00-01T10:30:00Z",
        "2026-02-25T24:30:00Z", "2026-02-25T10:60:00Z", "2026-02-25T10:30:60Z",
        "2026-02-25T10:30:0xZ"}) {
    EXPECT_EQ(ParseTime(text), std::nullopt) << text;
  }
}

TEST(SameRunTest, ComparesPidStartAndToken) {
  LockStatus a;
  a.holder = FullHolder();
  LockStatus b = a;
  EXPECT_TRUE(SameRun(a, b));
  b.holder->token = "4567";
  EXPECT_FALSE(SameRun(a, b));
  b = a;
  b.holder->pid = 1;
  EXPECT_FALSE(SameRun(a, b));
  b = a;
  b.holder->started_at = "2026-02-25T10:30:01Z";
  EXPECT_FALSE(SameRun(a, b));
}

TEST(SameRunTest, ComparesFilesWhereNobodyLeftARecord) {
  LockStatus a;
  a.file = "/a";
  LockStatus b = a;
  EXPECT_TRUE(SameRun(a, b));
  b.file = "/b";
  EXPECT_FALSE(SameRun(a, b));
  b = a;
  b.holder = FullHolder();
  EXPECT_FALSE(SameRun(a, b));
}

}  // namespace
}  // namespace o8lock
