// SPDX-License-Identifier: Apache-2.0
#include "lock/json.h"

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "lock/holder.h"
#include "lock/utf8.h"
#include "rapidjson/document.h"
#include "rapidjson/prettywriter.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"

namespace o8lock {
namespace {

using ::rapidjson::SizeType;
using ::rapidjson::Value;

template <typename Writer>
void WriteString(Writer& writer, absl::string_view text) {
  writer.String(text.data(), static_cast<SizeType>(text.size()));
}

template <typename Writer>
void WriteString(Writer& writer, const char* key, absl::string_view text) {
  writer.Key(key);
  WriteString(writer, text);
}

template <typename Writer>
void WriteStrings(Writer& writer, const char* key,
                  const std::vector<std::string>& texts) {
  writer.Key(key);
  writer.StartArray();
  for (const std::string& text : texts) WriteString(writer, text);
  writer.EndArray();
}

template <typename Writer>
void WriteNumber(Writer& writer, const char* key, int64_t number) {
  writer.Key(key);
  writer.Int64(number);
}

// Writes the array `key` with an object for each of `items`. `members` writes
// an object's members. Writes nothing if `items` is empty.
template <typename Writer, typename Item, typename Members>
void WriteObjects(Writer& writer, const char* key,
                  const std::vector<Item>& items, Members members) {
  if (items.empty()) return;
  writer.Key(key);
  writer.StartArray();
  for (const Item& item : items) {
    writer.StartObject();
    members(item);
    writer.EndObject();
  }
  writer.EndArray();
}

template <typename Writer>
void WriteFourFields(Writer& writer, const Holder& holder) {
  WriteNumber(writer, "pid", holder.pid);
  WriteString(writer, "startedAt", holder.started_at);
  WriteStrings(writer, "features", holder.features);
  if (holder.max_concurrency.has_value()) {
    WriteNumber(writer, "maxConcurrency", *holder.max_concurrency);
  }
}

template <typename Writer>
void WriteRun(Writer& writer, const Holder& holder) {
  WriteFourFields(writer, holder);
  WriteStrings(writer, "command", holder.command);
  WriteString(writer, "cwd", holder.cwd);
  WriteString(writer, "user", holder.user);
  WriteString(writer, "host", holder.host);
  WriteString(writer, "bootId", holder.boot_id);
  WriteNumber(writer, "pidNamespace", holder.pid_namespace);
  WriteNumber(writer, "acquired", holder.acquired);
  WriteNumber(writer, "takenSince", holder.taken_since);
  WriteNumber(writer, "began", holder.began);
  if (holder.command_pid != 0) {
    WriteNumber(writer, "commandPid", holder.command_pid);
    WriteNumber(writer, "commandSince", holder.command_since);
  }
  WriteNumber(writer, "timeNamespace", holder.time_namespace);
  WriteString(writer, "guard", holder.guard);
  WriteNumber(writer, "guardDevice",
              static_cast<int64_t>(holder.guard_id.device));
  WriteNumber(writer, "guardInode",
              static_cast<int64_t>(holder.guard_id.inode));
  writer.Key("guardIsLocal");
  writer.Bool(holder.guard_is_local);
  WriteString(writer, "token", holder.token);
  WriteString(writer, "version", holder.version);
  if (holder.released) {
    writer.Key("released");
    writer.Bool(true);
  }
  WriteObjects(writer, "surviving", holder.surviving,
               [&writer](const SurvivingProcess& process) {
                 WriteNumber(writer, "pid", process.pid);
                 WriteNumber(writer, "since", process.since);
                 WriteNumber(writer, "session", process.session);
                 WriteString(writer, "worktree", process.worktree);
               });
  if (holder.unpublished.has_value()) {
    WriteString(writer, "unpublished", *holder.unpublished);
  }
  if (holder.overridden_by.has_value()) {
    writer.Key("overriddenBy");
    writer.StartObject();
    WriteNumber(writer, "pid", holder.overridden_by->pid);
    WriteString(writer, "at", holder.overridden_by->at);
    WriteString(writer, "user", holder.overridden_by->user);
    WriteString(writer, "host", holder.overridden_by->host);
    WriteNumber(writer, "began", holder.overridden_by->began);
    writer.EndObject();
  }
}

template <typename Writer>
void WriteRecord(Writer& writer, const Holder& holder) {
  writer.StartObject();
  // The first member, so its value has a fixed offset (kMarkOffset).
  WriteString(writer, "mark", std::string(kMarkSize, '0'));
  WriteRun(writer, holder);
  WriteObjects(writer, "overridden", holder.overridden,
               [&writer](const Holder& run) { WriteRun(writer, run); });
  WriteObjects(writer, "orphaned", holder.orphaned,
               [&writer](const OrphanedWorktree& worktree) {
                 WriteString(writer, "name", worktree.name);
                 WriteNumber(writer, "made", worktree.made);
                 writer.Key("told");
                 writer.Bool(worktree.told);
                 WriteString(writer, "token", worktree.token);
               });
  writer.EndObject();
}

// The last member named `key`, as in JavaScript's JSON.parse.
const Value* Find(const Value& object, const char* key) {
  const Value* found = nullptr;
  for (const auto& member : object.GetObject()) {
    if (member.name.GetStringLength() == std::strlen(key) &&
        std::memcmp(member.name.GetString(), key, std::strlen(key)) == 0) {
      found = &member.value;
    }
  }
  return found;
}

std::string ToString(const Value& value) {
  return std::string(value.GetString(), value.GetStringLength());
}

std::string StringOr(const Value& object, const char* key) {
  const Value* value = Find(object, key);
  return value != nullptr && value->IsString() ? ToString(*value) : "";
}

int64_t NumberOr(const Value& object, const char* key, int64_t missing) {
  const Value* value = Find(object, key);
  return value != nullptr && value->IsInt64() ? value->GetInt64() : missing;
}

bool IsTrue(const Value& object, const char* key) {
  const Value* value = Find(object, key);
  return value != nullptr && value->IsTrue();
}

std::vector<std::string> StringsOf(const Value& object, const char* key) {
  std::vector<std::string> texts;
  const Value* value = Find(object, key);
  if (value == nullptr || !value->IsArray()) return texts;
  for (const Value& element : value->GetArray()) {
    if (element.IsString()) texts.push_back(ToString(element));
  }
  return texts;
}

// The objects in the array `key`.
std::vector<std::reference_wrapper<const Value>> ObjectsOf(const Value& object,
                                                           const char* key) {
  std::vector<std::reference_wrapper<const Value>> objects;
  const Value* value = Find(object, key);
  if (value == nullptr || !value->IsArray()) return objects;
  for (const Value& element : value->GetArray()) {
    if (element.IsObject()) objects.emplace_back(element);
  }
  return objects;
}

// Appends the members of the object `key` with string values.
void AppendTexts(const Value& object, const char* key,
                 std::vector<std::pair<std::string, std::string>>& texts) {
  const Value* value = Find(object, key);
  if (value == nullptr || !value->IsObject()) return;
  for (const auto& member : value->GetObject()) {
    if (member.value.IsString()) {
      texts.emplace_back(ToString(member.name), ToString(member.value));
    }
  }
}

std::optional<int> IntOf(const Value& object, const char* key) {
  const Value* value = Find(object, key);
  if (value == nullptr || !value->IsInt()) return std::nullopt;
  return value->GetInt();
}

// The pid of a lock file: a whole number in any notation, or a string of its
// digits, since Node.js takes this for the number.
std::optional<int> PidOf(const Value& object) {
  const Value* value = Find(object, "pid");
  if (value == nullptr) return std::nullopt;
  double number = 0;
  if (value->IsNumber()) {
    number = value->GetDouble();
  } else if (value->IsString()) {
    const std::string text = ToString(*value);
    const absl::string_view digits = absl::StripAsciiWhitespace(text);
    if (digits.find_first_not_of("0123456789") != digits.npos ||
        !absl::SimpleAtod(digits, &number)) {
      return std::nullopt;
    }
  }
  if (!(number >= 1 && number <= INT_MAX)) return std::nullopt;
  const int pid = static_cast<int>(number);
  return pid == number ? std::optional<int>(pid) : std::nullopt;
}

Holder HolderOf(const Value& object, int pid) {
  Holder holder;
  holder.pid = pid;
  holder.started_at = StringOr(object, "startedAt");
  holder.features = StringsOf(object, "features");
  holder.max_concurrency = IntOf(object, "maxConcurrency");
  holder.command = StringsOf(object, "command");
  holder.cwd = StringOr(object, "cwd");
  holder.user = StringOr(object, "user");
  holder.host = StringOr(object, "host");
  holder.boot_id = StringOr(object, "bootId");
  holder.pid_namespace = NumberOr(object, "pidNamespace", -1);
  holder.acquired = NumberOr(object, "acquired", -1);
  holder.taken_since = NumberOr(object, "takenSince", -1);
  holder.began = NumberOr(object, "began", -1);
  holder.command_pid = IntOf(object, "commandPid").value_or(0);
  holder.command_since = NumberOr(object, "commandSince", -1);
  holder.time_namespace = NumberOr(object, "timeNamespace", -1);
  holder.guard = StringOr(object, "guard");
  holder.guard_id.device =
      static_cast<dev_t>(NumberOr(object, "guardDevice", 0));
  holder.guard_id.inode = static_cast<ino_t>(NumberOr(object, "guardInode", 0));
  holder.guard_is_local = IsTrue(object, "guardIsLocal");
  holder.released = IsTrue(object, "released");
  holder.token = StringOr(object, "token");
  holder.version = StringOr(object, "version");
  for (const Value& process : ObjectsOf(object, "surviving")) {
    const int its_pid = IntOf(process, "pid").value_or(0);
    if (its_pid > 0) {
      holder.surviving.push_back({its_pid, NumberOr(process, "since", -1),
                                  IntOf(process, "session").value_or(0),
                                  StringOr(process, "worktree")});
    }
  }
  for (const Value& worktree : ObjectsOf(object, "orphaned")) {
    holder.orphaned.push_back(
        {StringOr(worktree, "name"), NumberOr(worktree, "made", -1),
         IsTrue(worktree, "told"), StringOr(worktree, "token")});
  }
  const Value* unpublished = Find(object, "unpublished");
  if (unpublished != nullptr && unpublished->IsString()) {
    holder.unpublished = ToString(*unpublished);
  }
  const Value* overrider = Find(object, "overriddenBy");
  if (overrider != nullptr && overrider->IsObject()) {
    holder.overridden_by = Overrider{
        IntOf(*overrider, "pid").value_or(0), StringOr(*overrider, "at"),
        StringOr(*overrider, "user"), StringOr(*overrider, "host"),
        NumberOr(*overrider, "began", -1)};
  }
  return holder;
}

// The parsed texts are small. RapidJSON's default of 64 kB would make the heap
// grow, twice in each refusal.
constexpr size_t kChunk = 4096;

// Uses the parser without recursion: a hostile file may be nested a million
// levels deep.
bool Parse(absl::string_view text, rapidjson::Document& document) {
  document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  // RapidJSON treats a NUL as the end of the text.
  return !document.HasParseError() && document.IsObject() &&
         text.find('\0') == text.npos;
}

// Converts `json`, with any bytes in its strings, to UTF-8 safe to print: an
// invalid byte becomes U+FFFD, control and invisible characters are escaped.
std::string Sanitized(absl::string_view json) {
  std::string text;
  while (!json.empty()) {
    const Utf8Character c = DecodeUtf8(json);
    const size_t size = std::max<size_t>(c.size, 1);
    if (c.size == 0) {
      text += "\xef\xbf\xbd";
    } else if (c.code < 0x7f || !(IsControl(c.code) || IsInvisible(c.code))) {
      absl::StrAppend(&text, json.substr(0, size));
    } else if (c.code <= 0xffff) {
      absl::StrAppend(&text, "\\u", absl::Hex(c.code, absl::kZeroPad4));
    } else {
      const uint32_t above = c.code - 0x10000;
      absl::StrAppend(&text, "\\u", absl::Hex(0xd800 + (above >> 10)), "\\u",
                      absl::Hex(0xdc00 + (above & 0x3ff)));
    }
    json.remove_prefix(size);
  }
  return text;
}

}  // namespace

std::string LockFileText(const Holder& holder) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  writer.SetFormatOptions(rapidjson::kFormatSingleLineArray);
  writer.StartObject();
  WriteFourFields(writer, holder);
  writer.EndObject();
  return Sanitized({buffer.GetString(), buffer.GetSize()}) + "\n";
}

std::string RecordText(const Holder& holder) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  WriteRecord(writer, holder);
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

absl::StatusOr<Holder> ParseHolder(absl::string_view text) {
  rapidjson::MemoryPoolAllocator<> memory(kChunk);
  rapidjson::Document document(&memory);
  if (!Parse(text, document)) {
    return absl::InvalidArgumentError("not a JSON object");
  }
  const std::optional<int> pid = PidOf(document);
  if (!pid.has_value()) {
    return absl::InvalidArgumentError(
        "pid is not a whole number from 1 to 2147483647");
  }
  Holder holder = HolderOf(document, *pid);
  for (const Value& run : ObjectsOf(document, "overridden")) {
    const std::optional<int> its_pid = PidOf(run);
    if (its_pid.has_value()) {
      holder.overridden.push_back(HolderOf(run, *its_pid));
    }
  }
  return holder;
}

PackageJson ParsePackage(absl::string_view text) {
  PackageJson package;
  rapidjson::Document document;
  if (!Parse(text, document)) return package;
  package.name = StringOr(document, "name");
  for (const char* kind : {"dependencies", "devDependencies",
                           "optionalDependencies", "peerDependencies"}) {
    AppendTexts(document, kind, package.dependencies);
  }
  AppendTexts(document, "scripts", package.scripts);
  return package;
}

// Writes a value's content.
struct JsonVisitor {
  rapidjson::PrettyWriter<rapidjson::StringBuffer>& writer;

  void Write(const JsonValue& value) const { std::visit(*this, value.value_); }
  void operator()(std::nullptr_t) const { writer.Null(); }
  void operator()(bool value) const { writer.Bool(value); }
  void operator()(int64_t value) const { writer.Int64(value); }
  void operator()(const std::string& value) const {
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }
  void operator()(const std::vector<JsonValue>& values) const {
    writer.StartArray();
    for (const JsonValue& value : values) Write(value);
    writer.EndArray();
  }
  void operator()(const JsonMembers& members) const {
    writer.StartObject();
    for (const auto& [key, value] : members) {
      writer.Key(key.c_str());
      Write(value);
    }
    writer.EndObject();
  }
};

std::string JsonValue::Text() const {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  JsonVisitor{writer}.Write(*this);
  return Sanitized({buffer.GetString(), buffer.GetSize()}) + "\n";
}

ConfigJson ParseConfig(absl::string_view text) {
  ConfigJson config;
  rapidjson::MemoryPoolAllocator<> memory(kChunk);
  rapidjson::Document document(&memory);
  if (!Parse(text, document)) return config;
  config.max_concurrency = IntOf(document, "maxConcurrency");
  config.worktree_directory = StringOr(document, "worktreeDir");
  return config;
}

}  // namespace o8lock
