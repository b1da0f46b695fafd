// SPDX-License-Identifier: Apache-2.0
//
// The state of a repository's hooks. installation.h determines it.
#ifndef O8LOCK_HOOKS_HOOKS_STATE_H_
#define O8LOCK_HOOKS_HOOKS_STATE_H_

#include <string>
#include <vector>

namespace o8lock {

// How git is made to call the hook reference-transaction.
enum class Mechanism {
  // git 2.54 and newer: a setting. Beside all other hooks, and wherever
  // core.hooksPath points.
  kConfig,
  // Older ones: while the lock is taken core.hooksPath is a directory of ours.
  kDirectory,
};

// How git is made to call post-checkout, which must be there all the time.
enum class PostCheckoutHook {
  kConfig,   // by a setting
  kAlone,    // as the only hook of that name
  kChained,  // by a line in the one that was there
  kByOwner,  // by a line that the user has put into the hook manager's file
  kMissing,  // see HooksState::manager
};

// What keeps git from calling the hook reference-transaction.
struct Bypass {
  enum Kind {
    kSetting,
    kSettingOfOneWorktree,  // the others are guarded
    kOtherPath,  // armed for another path of the repository than git's here
    kNoexec,     // the file system
  };
  Kind kind = kSetting;
  std::string text;  // for users: the setting and where it is, or the reason
};

struct HooksState {
  // Whether git reads o8lock's settings; without, only git_version is known.
  bool installed = false;
  std::string git_version;
  Mechanism mechanism = Mechanism::kConfig;
  std::string program;          // what the hooks run
  std::string program_version;  // empty: it cannot be run, and git goes on
  bool armed = false;
  PostCheckoutHook post_checkout = PostCheckoutHook::kMissing;
  // The directory of the hooks that are effective without o8lock; kDirectory.
  std::string hooks_directory;
  // Who has post-checkout there, so that o8lock must not: "husky", "lefthook",
  // "pre-commit", "simple-git-hooks"; the directory, where that is none of the
  // git directory's; the hook, where no line can be put into it.
  std::string manager;
  std::vector<Bypass> bypasses;
  // Files of other programs that came during a run and are not called by git,
  // because another had the name or they could not be moved.
  std::vector<std::string> put_aside;
};

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOKS_STATE_H_
