// SPDX-License-Identifier: Apache-2.0
//
// The input is a lock file, a record or a time.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "lock/fuzzing.h"
#include "lock/holder.h"
#include "lock/json.h"
#include "lock/timestamp.h"
#include "lock/utf8.h"

namespace o8lock {
namespace {

bool SameOverrider(const Holder& a, const Holder& b) {
  const auto fields = [](const Holder& holder) {
    const Overrider by = holder.overridden_by.value_or(Overrider());
    return std::make_tuple(holder.overridden_by.has_value(), by.pid, by.at,
                           by.user, by.host);
  };
  return fields(a) == fields(b);
}

bool Same(const Holder& a, const Holder& b) {
  const auto fields = [](const Holder& holder) {
    return std::tie(
        holder.pid, holder.started_at, holder.features, holder.max_concurrency,
        holder.command, holder.cwd, holder.user, holder.host, holder.boot_id,
        holder.pid_namespace, holder.acquired, holder.taken_since,
        holder.command_pid, holder.command_since, holder.time_namespace,
        holder.guard, holder.guard_is_local, holder.token, holder.version,
        holder.unpublished, holder.released);
  };
  return fields(a) == fields(b) && a.guard_id == b.guard_id &&
         SameOverrider(a, b) &&
         std::equal(a.overridden.begin(), a.overridden.end(),
                    b.overridden.begin(), b.overridden.end(), Same);
}

// Whether `text` is UTF-8, and newlines are its only control characters and
// invisible characters.
bool IsSafeToPrint(absl::string_view text) {
  while (!text.empty()) {
    const Utf8Character c = DecodeUtf8(text);
    if (c.size == 0 || IsInvisible(c.code) ||
        (IsControl(c.code) && c.code != '\n')) {
      return false;
    }
    text.remove_prefix(c.size);
  }
  return true;
}

bool HasControlCharacter(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20;
  });
}

void CheckHolder(const Holder& holder) {
  Check(holder.pid > 0, "a pid is positive");

  const std::string record = RecordText(holder);
  const absl::StatusOr<Holder> from_record = ParseHolder(record);
  Check(from_record.ok(), "a record can be read");
  Check(Same(*from_record, holder), "a record keeps every field");
  Check(record.back() == '\n' &&
            !HasControlCharacter(
                absl::string_view(record).substr(0, record.size() - 1)),
        "a record is one line");

  const std::string text = LockFileText(holder);
  Check(IsSafeToPrint(text), "a lock file is safe to print");
  const absl::StatusOr<Holder> from_lock_file = ParseHolder(text);
  Check(from_lock_file.ok(), "a lock file can be read");
  Check(LockFileText(*from_lock_file) == text &&
            from_lock_file->pid == holder.pid &&
            from_lock_file->max_concurrency == holder.max_concurrency &&
            from_lock_file->features.size() == holder.features.size(),
        "a lock file keeps four fields");
}

// A run's command and directory name may contain any bytes.
Holder HolderOf(absl::string_view text) {
  Holder holder;
  holder.pid = 1;
  holder.started_at = absl::StrCat("started_at", text);
  holder.cwd = absl::StrCat("cwd", text);
  holder.user = absl::StrCat("user", text);
  holder.host = absl::StrCat("host", text);
  holder.boot_id = absl::StrCat("boot_id", text);
  holder.token = absl::StrCat("token", text);
  holder.version = absl::StrCat("version", text);
  holder.features = {std::string(text), ""};
  holder.max_concurrency = static_cast<int>(text.size());
  holder.command = {"", std::string(text)};
  holder.unpublished = absl::StrCat("unpublished", text);
  holder.guard = absl::StrCat("guard", text);
  holder.guard_id.device = 6;
  holder.guard_id.inode = 7;
  holder.guard_is_local = true;
  holder.command_pid = 8;
  holder.command_since = 9;
  holder.time_namespace = 10;
  holder.released = true;
  holder.pid_namespace = 2;
  holder.acquired = 4;
  holder.taken_since = 5;
  holder.overridden_by =
      Overrider{5, absl::StrCat("at", text), absl::StrCat("by", text),
                absl::StrCat("of", text)};
  const Holder run = holder;
  holder.overridden = {run, run};
  return holder;
}

void CheckTime(absl::string_view text) {
  const std::optional<int64_t> time = ParseTime(text);
  if (time.has_value()) {
    Check(FormatTime(*time) == absl::StrCat(text.substr(0, 19), "Z"),
          "a time that can be read is that time");
  }
}

void CheckSeconds(absl::string_view input) {
  int64_t seconds;
  if (input.size() < sizeof(seconds)) return;
  std::memcpy(&seconds, input.data(), sizeof(seconds));
  constexpr int64_t kYear0 = -62167219200;
  constexpr int64_t kYear10000 = 253402300800;
  const bool four_digits = seconds >= kYear0 && seconds < kYear10000;
  Check(ParseTime(FormatTime(seconds)) ==
            (four_digits ? std::make_optional(seconds) : std::nullopt),
        "a time of four digits' years is read back");
}

}  // namespace
}  // namespace o8lock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace o8lock;  // NOLINT(google-build-using-namespace): from outside
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<Holder> holder = ParseHolder(text);
  if (holder.ok()) {
    Check(!absl::StrContains(text, '\0'), "no JSON has a NUL in it");
    CheckHolder(*holder);
    Check(ParseConfig(text).max_concurrency == holder->max_concurrency,
          "a configuration is read as a lock file");
  } else {
    Check(absl::IsInvalidArgument(holder.status()), "no other error");
  }
  CheckHolder(HolderOf(text));
  CheckTime(text);
  CheckSeconds(text);
  return 0;
}
