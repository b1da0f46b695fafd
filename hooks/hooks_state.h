// SPDX-License-Identifier: Apache-2.0
//
// The state of a repository's hooks. installation.h determines it.
#ifndef O8LOCK_HOOKS_HOOKS_STATE_H_
#define O8LOCK_HOOKS_HOOKS_STATE_H_

#include <string>
#include <vector>

namespace o8lock {

// How o8lock makes git call the hook reference-transaction.
enum class Mechanism {
  // git 2.54 and newer: by a setting. It works beside all other hooks and with
  // any core.hooksPath.
  kConfig,
  // Older versions: core.hooksPath is o8lock's directory while the lock is
  // taken.
  kDirectory,
};

// How o8lock makes git call post-checkout, which must always be effective.
enum class PostCheckoutHook {
  kConfig,   // by a setting
  kAlone,    // as the only hook of this name
  kChained,  // by a line in the user's hook
  kByOwner,  // by a line the user has put into the hook manager's file
  kMissing,  // see HooksState::manager
};

// A reason why git does not call the hook reference-transaction.
struct Bypass {
  enum Kind {
    kSetting,
    kSettingOfOneWorktree,  // effective in the other worktrees
    kOtherPath,             // armed for another path of the repository
    kNoexec,                // the file system is mounted noexec
  };
  Kind kind = kSetting;
  std::string text;  // for users: the setting and its file, or the reason
};

struct HooksState {
  // Whether git reads o8lock's settings. If not, only git_version, mechanism
  // and a noexec bypass are known.
  bool installed = false;
  std::string git_version;
  Mechanism mechanism = Mechanism::kConfig;
  std::string program;          // the program that the hooks run
  std::string program_version;  // empty: it cannot be started; git then goes on
  bool armed = false;
  PostCheckoutHook post_checkout = PostCheckoutHook::kMissing;
  // The user's hooks directory; for Mechanism::kDirectory only.
  std::string hooks_directory;
  // The owner of post-checkout in this directory, if o8lock must not change it:
  //   - "husky", "lefthook", "pre-commit" or "simple-git-hooks";
  //   - the directory, if it is not below the git directory;
  //   - the hook, if it cannot have a line of o8lock's.
  std::string manager;
  std::vector<Bypass> bypasses;
  // Files other programs installed during a run. Git does not call them: their
  // names were taken, or they could not be moved.
  std::vector<std::string> put_aside;
};

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOKS_STATE_H_
