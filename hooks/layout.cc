// SPDX-License-Identifier: Apache-2.0
#include "hooks/layout.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "hooks/hook_call.h"
#include "lock/arming.h"
#include "lock/location.h"

namespace o8lock {

std::string OwnDirectory(const Location& location) {
  return location.common_dir + "/o8lock";
}

std::string FreePath(const Location& location) {
  return absl::StrCat(OwnDirectory(location), "/", kFreeFile);
}

std::string LockedPath(const Location& location) {
  return absl::StrCat(OwnDirectory(location), "/", kLockedFile);
}

std::string HerePath(const Location& location) {
  return absl::StrCat(OwnDirectory(location), "/", kHereFile);
}

std::string StandInPath(const Location& location) {
  return absl::StrCat(OwnDirectory(location), "/", kStandInFile);
}

std::string DefaultHooks(const Location& location) {
  return location.common_dir + "/hooks";
}

std::string OwnHooks(const Location& location) {
  return absl::StrCat(location.common_dir, "/", kOwnHooksName);
}

std::string OwnBin(const std::string& common_dir) {
  return common_dir + "/o8lock/bin";
}

std::string OwnCopy(const std::string& common_dir) {
  return OwnBin(common_dir) + "/o8lock";
}

std::string PostCheckoutIn(const std::string& directory) {
  return absl::StrCat(directory, "/", kPostCheckout);
}

}  // namespace o8lock
