// SPDX-License-Identifier: Apache-2.0
#include "tools/e2e/json_schema.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "lock/testing.h"
#include "rapidjson/document.h"
#include "rapidjson/schema.h"
#include "rapidjson/stringbuffer.h"

namespace o8lock {
namespace {

std::string Text(const rapidjson::Pointer& pointer) {
  rapidjson::StringBuffer text;
  pointer.StringifyUriFragment(text);
  return text.GetString();
}

}  // namespace

std::string SchemaViolation(const std::string& json, const std::string& path) {
  rapidjson::Document schema;
  if (schema.Parse(Contents(path).c_str()).HasParseError()) {
    return absl::StrCat(path, " is no JSON");
  }
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(json.data(),
                                                        json.size());
  if (document.HasParseError()) return absl::StrCat("no JSON: ", json);
  const rapidjson::SchemaDocument rules(schema);
  rapidjson::SchemaValidator validator(rules);
  if (document.Accept(validator)) return "";
  return absl::StrCat(Text(validator.GetInvalidDocumentPointer()),
                      " breaks the rule '", validator.GetInvalidSchemaKeyword(),
                      "' of ", Text(validator.GetInvalidSchemaPointer()));
}

}  // namespace o8lock
