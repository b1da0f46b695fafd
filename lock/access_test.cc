// SPDX-License-Identifier: Apache-2.0
#include "lock/access.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "lock/file.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

constexpr uid_t kUser = 20001;
constexpr gid_t kGroup = 20000;

struct stat StatOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info;
}

mode_t ModeOf(const std::string& path) { return StatOf(path).st_mode & 07777; }

class AccessTest : public testing::Test {
 protected:
  void SetUp() override { umask_ = umask(077); }
  void TearDown() override { umask(umask_); }

  // A directory. The tests create a file and a directory in it.
  std::string Make(mode_t mode) {
    std::string directory = temp_.File(absl::StrCat("d", ++made_));
    EXPECT_EQ(mkdir(directory.c_str(), 0777), 0);
    EXPECT_EQ(chmod(directory.c_str(), mode), 0);
    return directory;
  }
  static void MakeIn(const std::string& directory) {
    bool created = false;
    EXPECT_EQ(MakeDirectory(directory + "/made", &created), absl::OkStatus());
    EXPECT_TRUE(created);
    const std::string path = directory + "/file";
    EXPECT_EQ(OpenOrCreate(path, O_RDWR, 0666).status(), absl::OkStatus());
  }

  TempDir temp_;

 private:
  mode_t umask_ = 0;
  int made_ = 0;
};

TEST_F(AccessTest, IsThatOfTheDirectoryWhateverTheUmask) {
  struct Case {
    mode_t parent, directory, file;
  };
  for (const Case& test : {Case{0755, 0700, 0600}, Case{0775, 0770, 0660},
                           Case{02775, 02770, 0660}, Case{0777, 0777, 0666},
                           Case{0700, 0700, 0600}}) {
    const std::string directory = Make(test.parent);
    MakeIn(directory);
    EXPECT_EQ(ModeOf(directory + "/made"), test.directory) << test.parent;
    EXPECT_EQ(ModeOf(directory + "/file"), test.file) << test.parent;
  }
}

TEST_F(AccessTest, IsTheOwnersInAnyCase) {
  const std::string directory = Make(0755);
  umask(0177);
  MakeIn(directory);
  EXPECT_EQ(ModeOf(directory + "/made"), 0700u);
  umask(0377);
  EXPECT_EQ(OpenOrCreate(directory + "/other", O_RDWR, 0666).status(),
            absl::OkStatus());
  EXPECT_EQ(ModeOf(directory + "/other"), 0600u);
}

TEST_F(AccessTest, LeavesWhatIsThere) {
  const std::string directory = Make(0775);
  const std::string made = directory + "/made";
  ASSERT_EQ(mkdir(made.c_str(), 0700), 0);
  bool created = false;
  EXPECT_EQ(MakeDirectory(made, &created), absl::OkStatus());
  EXPECT_FALSE(created);
  EXPECT_EQ(ModeOf(made), 0700u);
  MakeFile(directory + "/file", "", 0600);
  EXPECT_EQ(OpenOrCreate(directory + "/file", O_RDWR, 0666).status(),
            absl::OkStatus());
  EXPECT_EQ(ModeOf(directory + "/file"), 0600u);
  EXPECT_EQ(MakeDirectory(directory + "/file").code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(AccessTest, RootsFilesAreTheOwners) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const std::string directory = Make(0755);
  if (chown(directory.c_str(), kUser, kGroup) != 0) {
    GTEST_SKIP() << "there is one user only";
  }
  MakeIn(directory);
  for (const char* name : {"/made", "/file"}) {
    const struct stat info = StatOf(directory + name);
    EXPECT_EQ(info.st_uid, kUser) << name;
    EXPECT_EQ(info.st_gid, kGroup) << name;
  }
}

// Makes this process `user` in this scope, if it may.
class AsUser {
 public:
  explicit AsUser(uid_t user)
      : changed_(geteuid() == 0 && seteuid(user) == 0) {}
  ~AsUser() { EXPECT_TRUE(!changed_ || seteuid(0) == 0); }
  AsUser(const AsUser&) = delete;
  AsUser& operator=(const AsUser&) = delete;

 private:
  const bool changed_;
};

TEST_F(AccessTest, SaysWhatIsInTheWay) {
  ASSERT_EQ(chmod(temp_.path().c_str(), 0777), 0);
  const std::string closed = Make(0555);
  const std::string hidden = Make(0000);
  const AsUser user(kUser);
  if (geteuid() == 0) GTEST_SKIP() << "there is one user only";
  EXPECT_EQ(CheckWritable(temp_.File("a/b/c")), absl::OkStatus());
  for (const std::string& directory : {closed, hidden}) {
    std::string in_the_way;
    EXPECT_EQ(CheckWritable(directory + "/a/b", &in_the_way),
              absl::PermissionDeniedError(absl::StrCat(
                  "cannot write '", directory, "': Permission denied")));
    EXPECT_EQ(in_the_way, directory);
  }
}

}  // namespace
}  // namespace o8lock
