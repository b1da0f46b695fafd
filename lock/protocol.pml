// SPDX-License-Identifier: Apache-2.0
//
// A model of the lock's protocol for spin(1). spin tries every interleaving of
// several runs of o8lock that want the same lock, with a SIGKILL at every step.
// By hand:
//
//   spin -a lock/protocol.pml             # with options, such as -DFORCE=2
//   gcc -O2 -w -DSAFETY -o pan pan.c && ./pan -m20000
//   spin -t -p lock/protocol.pml          # same options: the counterexample
//
// The model uses the function names of acquire.cc, lock.cc, record_status.cc,
// lock_files.cc and put_back.cc. It starts RUNS (3) runs at the same time, and
// one more, NEXT, when all of them have ended.
//
// Guards are inodes. The name `guard` stands for one of them, and rename(2)
// gives it to another. An inode without the name continues to exist. On each
// inode the kernel locks the ranges kRun, kChange and kJoined. These locks
// belong to open file descriptions:
// - a run's own description, inherited by its command and by the command's
//   surviving processes ("survivor");
// - the description of the old guard, in a run that overrides;
// - the description that LockOwnChange opens.
// A killed process loses its locks, except those of a description that other
// processes share.
//
// A record names a run, the run's command (once it is named) and the runs it
// has overridden. It also says whether the run has released the lock. If the
// kernel lock is free, DetermineRecordStatus uses the processes of all these.
// The lock file has two more names, for a new file and for a displaced one.
//
// Every system call is one step. The work of a process between two of them is
// invisible to the others.
//
// Simplifications:
// - Pids are never reused, and every query about a process gives the truth.
// - Waits have no length. A wait for a record or for the death of a holder may
//   end at any moment. A wait for kChange lasts until kChange is free.
// - There is no queue for kTurn: waiters try again in any order.
// - There is one lock file, not two, and it is never malformed.
// - There are no directories, file system errors, withdrawals of the lock file,
//   hooks, copies or other views of a guard.
// - At most one run is inside another and shares kJoined.
// - A record is written as a whole. (A real reader rejects an incomplete line,
//   and ignores the text after the first line.)
//
// Limits of the protocol, excluded from the properties:
// - A run is killed before its command is named. No record names this command.
//   The lock stays held as long as the command has its descriptor.
// - A run is inside an overridden run. The record does not name it.
// - A guard is removed. Until its run puts it back, it is missing, and another
//   run may start or finish its start beside that run (`unguarded`). Then all
//   is as before, but if another run has made a guard first, that run keeps it.
//   The guard of a killed run stays missing.
//
// Options:
// -DFORCE=n           run i overrides every displayed holder if n has bit i
// -DRUNS=2            only two runs at the same time
// -DNO_SURVIVORS      no process survives its command
// -DUNPUBLISHED       runs without a lock file
// -DWITH_OUTSIDE      also an external run, and possibly a dead external run's
//                     lock file. The external run creates its lock file, or
//                     replaces a dead run's, in one step, and removes it in one
//                     step.
// -DAFTER_A_SURVIVOR  with RUNS=2: run 3 was killed, and its command's
//                     surviving process has the lock
// -DAFTER_AN_OVERRIDE with RUNS=2: run 3 was overridden and then killed, its
//                     command still works, and its overrider has ended
// -DWITH_CLOSED       a command may close its inherited descriptor
// -DWITH_JOINED       with RUNS=2: run 3 is inside run 1. Run 1's command or
//                     its surviving process may start it. Before it joins, and
//                     if it cannot join, it is a run like the others. If it
//                     outlives run 1, it has no lock file. So this option does
//                     not combine with WITH_OUTSIDE.
// -DWITH_CLEANER      another program may remove the lock file once. A run
//                     checks the integrity of its lock while its command runs.
// -DWITH_GUARD_REMOVED  with WITH_CLEANER: also the name of the guard, once
// -DONLY=p            checks only the property p below. Deadlocks remain; pan's
//                     -E ignores them.
// Every other #ifdef is a deliberate mistake that spin has to find.

#ifndef FORCE
#define FORCE 0
#endif
#ifndef RUNS
#define RUNS 3
#endif

// Runs are 1 to RUNS. A record or a lock file contains the number of its run.
#define NOBODY 0
#define NEXT 4
#define OUTSIDE 5
#define DEAD_OUTSIDE 6
#define NO_RECORD 7  // as a holder: a run known only by its kernel lock

// The first guard is inode 0. A guard made by force has the number of its run.
// FRESH is the guard made when the name is gone, which happens once.
#define INODES 6
#define FRESH 5
#define NO_INODE 255

// The run INNER is inside the run OUTER.
#define OUTER 1
#define INNER 3

// Open file descriptions. The value of a free lock is 0.
#define OWN(run) (run)
#define OLD_GUARD(run) (10 + (run))
#define CHANGE(run) (20 + (run))

#define NOT_STARTED 0
#define RUNNING 1
#define ENDED 2

byte guard = 0;
byte guard_new = NO_INODE;
byte run_lock[INODES];
byte change_lock[INODES];
byte joined_lock[INODES];
byte record[INODES];
bit names_command[INODES];
byte overridden_runs[INODES];  // a bit for each run overridden by the record's
bit says_released[INODES];
bit says_overridden[INODES];

byte lock_file = NOBODY;
byte lock_file_new = NOBODY;
byte lock_file_old = NOBODY;

bit process[7];
byte command[7];
bit survivor[7];
bit named[7];  // the record names its command
bit closed[7];  // its command has closed the inherited descriptor
bit overridden[7];  // another run has overridden it, with agreement
bit released[7];  // it has released the lock, after its command
bit unguarded[7];  // the guard that names it was removed, and is not back
bit outside_is_on;
bit cleaned;
bit guard_removed;

// The properties. A counterexample shows the name of the violated property.
hidden byte no_other_command_runs;
hidden byte no_run_outside_is_on;
hidden byte own_lock_file_is_in_place;
hidden byte no_live_lock_file_is_lost;
hidden byte no_live_record_is_lost;
hidden byte no_live_guard_is_lost;
hidden byte next_start_succeeds;
hidden byte refusal_changes_nothing;
hidden byte join_finds_it_unlocked;
hidden byte new_guard_is_own;
hidden byte new_lock_file_is_own;
hidden byte vanished_lock_file_is_back;
hidden byte vanished_guard_is_back;
hidden byte guard_put_back_is_own;
hidden byte overridden_run_stays_visible;
hidden byte released_run_refuses_nobody;

#ifdef ONLY
#define NUMBER_OF(property) NUMBER_OF_(property)
#define NUMBER_OF_(property) number_of_##property
#define number_of_no_other_command_runs 1
#define number_of_no_run_outside_is_on 2
#define number_of_own_lock_file_is_in_place 3
#define number_of_no_live_lock_file_is_lost 4
#define number_of_no_live_record_is_lost 5
#define number_of_no_live_guard_is_lost 6
#define number_of_next_start_succeeds 7
#define number_of_refusal_changes_nothing 8
#define number_of_join_finds_it_unlocked 9
#define number_of_new_guard_is_own 10
#define number_of_new_lock_file_is_own 11
#define number_of_vanished_lock_file_is_back 12
#define number_of_vanished_guard_is_back 13
#define number_of_guard_put_back_is_own 14
#define number_of_overridden_run_stays_visible 15
#define number_of_released_run_refuses_nobody 16
#define CHECK(property, condition)                                       \
  property = (condition) || NUMBER_OF(property) != NUMBER_OF(ONLY); \
  assert(property)
#else
#define CHECK(property, condition) property = (condition); assert(property)
#endif

#define LIVES(run) (process[run] || command[run] == RUNNING)
#define AGREED_TO(run) ((agreed >> (run)) & 1)
#define AGREED_TO_NO_RECORD (record[guard] == NOBODY && AGREED_TO(NO_RECORD))
#define MAY_TAKE(run)                                               \
  ((run) == NOBODY || (run) == me || !LIVES(run) || AGREED_TO(run) || \
   overridden[run])
// Agreement to override a run includes the runs inside it and the runs it has
// overridden.
#define MAY_TAKE_JOINED(run) (MAY_TAKE(run) || AGREED_TO(OUTER))
#define HAS_NO_COMMAND(run) \
  (command[run] != RUNNING || overridden[run] || unguarded[run])

#define HAS(runs, run) (((runs) >> (run)) & 1)
#define WITHOUT(runs, run) ((runs) & ~(1 << (run)))
// Whether one of the processes named in its record is alive.
#define MayLive(run) \
  (process[run] || (named[run] && command[run] == RUNNING))
#define LIVING_OR_NONE(runs, run) \
  (HAS(runs, run) && MayLive(run) -> 1 << (run) : 0)
#define LIVING(runs)                                        \
  (LIVING_OR_NONE(runs, 1) | LIVING_OR_NONE(runs, 2) | \
   LIVING_OR_NONE(runs, 3))
#define FIRST(runs)            \
  (HAS(runs, 1) -> 1 : (HAS(runs, 2) -> 2 : (HAS(runs, 3) -> 3 : NOBODY)))

// A system call, with the process's use of its result. The process may be
// killed before it.
#define STEP(call...)                   \
  if                                    \
  :: atomic { call }                    \
  :: atomic { me != NEXT -> goto ends } \
  fi

// A system call that waits. A kill during the wait is equivalent to a kill
// before it. Without a kill here, spin detects a process that waits
// indefinitely.
#define WAIT(call...) atomic { call }

#define DROP(lock, description) \
  lock = (lock == description -> NOBODY : lock)

// Drops the locks of a description whose inode is no longer known.
inline Dropped(description) {
  DROP(run_lock[0], description);
  DROP(run_lock[1], description);
  DROP(run_lock[2], description);
  DROP(run_lock[3], description);
  DROP(run_lock[4], description);
  DROP(run_lock[5], description);
  DROP(change_lock[0], description);
  DROP(change_lock[1], description);
  DROP(change_lock[2], description);
  DROP(change_lock[3], description);
  DROP(change_lock[4], description);
  DROP(change_lock[5], description);
  DROP(joined_lock[0], description);
  DROP(joined_lock[1], description);
  DROP(joined_lock[2], description);
  DROP(joined_lock[3], description);
  DROP(joined_lock[4], description);
  DROP(joined_lock[5], description)
}

// Besides its new guard a process has only the inode `fd` open, or `change` in
// RemoveFromRecord.
#define DROP_ALL(description)         \
  DROP(run_lock[fd], description);    \
  DROP(change_lock[fd], description); \
  DROP(joined_lock[fd], description)
#define CLOSE(description) STEP(DROP_ALL(description))

inline DroppedUnlessInherited(who) {
  if
  :: !process[who] && (command[who] != RUNNING || closed[who]) &&
         !survivor[who] ->
     Dropped(OWN(who))
  :: else
  fi
}

inline ProcessEnds(who) {
  process[who] = 0;
  DROP_ALL(OLD_GUARD(who));
  DROP_ALL(CHANGE(who));
  DROP(change_lock[change], CHANGE(who));
  if  // the command has not inherited that guard
  :: put_back ->
     DROP(run_lock[FRESH], OWN(who));
     DROP(change_lock[FRESH], OWN(who));
     DROP(joined_lock[FRESH], OWN(who))
  :: else
  fi;
  DroppedUnlessInherited(who)
}

#ifdef NO_CHANGE_LOCK
#define LockChange(inode, description) skip
#else
#define LockChange(inode, description) \
  change_lock[inode] == NOBODY -> change_lock[inode] = description
#endif

#ifdef ACQUIRE_WITHOUT_JOINED
#define CanLockAll(inode) \
  (run_lock[inode] == NOBODY && change_lock[inode] == NOBODY)
#else
#define CanLockAll(inode)                                       \
  (run_lock[inode] == NOBODY && change_lock[inode] == NOBODY && \
   joined_lock[inode] == NOBODY)
#endif

inline LockAll(inode) {
  run_lock[inode] = OWN(me);
#ifndef ACQUIRE_WITHOUT_JOINED
  joined_lock[inode] = OWN(me);
#endif
  change_lock[inode] = OWN(me)
}

inline DowngradeToRunLock(inode) {
#ifdef WITH_JOINED
  STEP(change_lock[inode] = NOBODY);
  STEP(DROP(joined_lock[inode], OWN(me)))
#else  // no process reads one without the other
  STEP(change_lock[inode] = NOBODY; joined_lock[inode] = NOBODY)
#endif
}

#define IsStillNamed(inode) (guard == inode)

// Whether this run is inside the run `holder` of a record.
#ifdef WITH_JOINED
#define IsOwn(holder) (me == INNER && (holder) == OUTER)
#else
#define IsOwn(holder) false
#endif

inline Overwrite(inode, who, with_command_of_who, with_runs) {
  CHECK(no_live_record_is_lost,
        MAY_TAKE(record[inode]) || released[record[inode]] ||
        record[inode] == who);
  record[inode] = who;
  names_command[inode] = with_command_of_who;
  overridden_runs[inode] = with_runs;
  says_released[inode] = 0
}

// Sets `left` to a living run of the record of `previous`. The guard is free,
// or only a surviving process has it.
inline DetermineRecordStatus() {
#ifdef DETERMINE_BY_THE_LOCK_ALONE
  left = NOBODY
#else
  left = (previous != NOBODY && !is_released &&
          (process[previous] ||
           (with_command && command[previous] == RUNNING)) ->
          previous : FIRST(LIVING(runs)));
#ifdef RELEASED_HIDES_OVERRIDDEN
  left = (is_released -> NOBODY : left)
#endif
#endif
}

inline ReadRecord(inode) {
  previous = record[inode];
  with_command = names_command[inode];
  runs = overridden_runs[inode];
  is_released = says_released[inode]
}

inline ForgetRecord() {
  previous = NOBODY;
  left = NOBODY;
  with_command = 0;
  runs = 0;
  new_runs = 0;
  is_released = 0
}

// No record names an inner run, or a command at its very start.
#ifdef WITH_JOINED
#define IS_TOLD_OF(run) ((run) != INNER && MayLive(run))
#else
#define IS_TOLD_OF(run) MayLive(run)
#endif
#define TELLS_OF(inode, run)                                            \
  (command[run] != RUNNING || !overridden[run] || unguarded[run] || \
   !IS_TOLD_OF(run) || record[inode] == run ||                      \
   HAS(overridden_runs[inode], run))
#define TELLS_OF_ALL(inode) \
  (TELLS_OF(inode, 1) && TELLS_OF(inode, 2) && TELLS_OF(inode, 3))

inline SetOverridden() {
  new_runs = LIVING(runs | (previous != NOBODY && !is_released ->
                            1 << previous : 0))
}

// unlink(2), or rename(2) over it.
inline Lose(file) {
  CHECK(no_live_lock_file_is_lost,
        MAY_TAKE(file) || guard_removed ||
        lock_file == lock_file_old);
  overridden[file] =
      overridden[file] || (file == OUTSIDE && AGREED_TO(OUTSIDE));
  file = NOBODY
}

// link(2) to the lock file's name. It does not replace an existing file.
inline LinkLockFile(from) {
  lock_file = (lock_file == NOBODY -> from : lock_file)
}

// Sets `still` to whether it has moved the file.
inline MoveAsideIfStill(expected) {
#ifdef REMOVE_BY_PATH
  STEP(Lose(lock_file); still = 1);
#else
  STEP(
    still = (lock_file != NOBODY);
    if
    :: still ->
       Lose(lock_file_old);
       lock_file_old = lock_file;
       lock_file = NOBODY
    :: else
    fi
  );
  if
  :: still ->
     STEP(still = (lock_file_old == expected));
     if
     :: !still ->
        STEP(LinkLockFile(lock_file_old));
        STEP(Lose(lock_file_old))
     :: else
     fi
  :: else
  fi
#endif
}

inline UnlinkAside() {
  STEP(Lose(lock_file_old))
}

inline RemoveRemains() {
  STEP(guard_new = NO_INODE);
#ifndef NO_REMOVE_REMAINS
  STEP(LinkLockFile(lock_file_old); still = (lock_file_old != NOBODY));
  if
  :: still -> still = 0; UnlinkAside()
  :: else
  fi;
#endif
  true
}

#ifdef UNPUBLISHED
#define ClearLockFiles(is_dead, displace) skip
#define Publish() skip
#define Place(is_dead) skip
#define RemoveLockFiles() skip
#define LOCK_FILE_IS_MISSED false
#else
#define LOCK_FILE_IS_MISSED (lock_file == NOBODY)

// Sets `refused` to a run in the way. `is_dead`: whether `previous` is dead.
inline ClearLockFiles(is_dead, displace) {
  do
  :: STEP(text = lock_file);
     if
     :: text == NOBODY -> break
     :: else ->
        STEP(stale = ((is_dead && text == previous) || !process[text]));
        if
        :: !stale && text != previous && !AGREED_TO(text) ->
           refused = text;
           break
        :: !stale && (text == previous || AGREED_TO(text)) && !displace -> break
        :: else ->
           stale = 0;
           MoveAsideIfStill(text);
           if
           :: still -> UnlinkAside(); break
           :: else  // another file: check that one
           fi
        fi
     fi
  od;
  still = 0;
  text = NOBODY
}

inline Publish() {
  STEP(lock_file_new = NOBODY);  // CreateFresh
  STEP(lock_file_new = me; written = 1)
}

inline Place(is_dead) {
  if
  :: agreed != 0 -> ClearLockFiles(is_dead, true)
  :: else
  fi;
  do
  :: refused != NOBODY -> break
  :: else ->
     STEP(
       published = (lock_file == NOBODY);
       CHECK(new_lock_file_is_own,
             !published || lock_file_new == me || guard_removed);
       LinkLockFile(lock_file_new)
     );
     if
     :: published -> STEP(lock_file_new = NOBODY; written = 0); break
     :: else -> ClearLockFiles(is_dead, true)
     fi
  od
}

inline RemoveLockFiles() {
  if
  :: written -> STEP(lock_file_new = NOBODY; written = 0)
  :: else
  fi;
  if
  :: published ->
     published = 0;
     STEP(still = (lock_file == me));
     if
     :: still ->
        MoveAsideIfStill(me);
        if
        :: still -> still = 0; UnlinkAside()
        :: else
        fi
     :: else
     fi
  :: else
  fi
}

#endif

// REQUIRES: this run has locked at least kChange of the guard `fd`.
inline JoinRun() {
  STEP(
    CHECK(join_finds_it_unlocked,
          joined_lock[fd] == NOBODY || joined_lock[fd] == OWN(me));
    joined_lock[fd] = OWN(me)
  );
  STEP(DROP(run_lock[fd], OWN(me)));
  STEP(DROP(change_lock[fd], OWN(me)));
  joined = 1
}

inline TakeFree() {
  RemoveRemains();
  STEP(ReadRecord(fd));
  STEP(DetermineRecordStatus());
  if
  :: left != NOBODY && IsOwn(left) -> JoinRun()
  :: left != NOBODY && !IsOwn(left) && !AGREED_TO(left) ->
     CHECK(released_run_refuses_nobody, !released[left] || overridden[left]);
     refused = left
  :: else ->
     if
     :: left != NOBODY -> SetOverridden()
     :: else
     fi;
     ClearLockFiles(previous != NOBODY && left == NOBODY, false);
     if
     :: refused == NOBODY ->
        Publish();
#ifdef HALF_A_RECORD
        STEP(Overwrite(fd, NOBODY, 0, 0));
#endif
        STEP(
          Overwrite(fd, me, 0, new_runs);
          says_overridden[fd] = 0;
          overridden[left] = overridden[left] || left != NOBODY
        );
        Place(left == NOBODY);
        if
        :: refused == NOBODY ->
           DowngradeToRunLock(fd);
           held = 1
        :: else ->
           RemoveLockFiles();
           STEP(
             Overwrite(fd, previous, with_command, runs);
             says_released[fd] = is_released
           )
        fi
     :: else
     fi
  fi;
  if
  :: refused != NOBODY -> CLOSE(OWN(me))
  :: else
  fi;
  ForgetRecord()
}

inline LockNewGuard() {
  WAIT(CanLockAll(me) -> LockAll(me))
}

// Takes the lock from `found`, the run in the guard `fd`, which is dead
// (`is_dead`) or overridden. If this sets neither `held` nor `refused`, try
// again.
inline TakeByForce(is_dead) {
  WAIT(LockChange(fd, OLD_GUARD(me)));
#ifdef NO_NAME_CHECK_IN_TAKE_BY_FORCE
  still = 1;
#else
  STEP(still = IsStillNamed(fd));
#endif
  if
  :: still ->
     STEP(still = (run_lock[fd] != NOBODY));
#ifdef WITH_JOINED
     if
     :: !still -> STEP(still = (joined_lock[fd] != NOBODY))
     :: else
     fi;
#ifndef NO_JOINED_CHECK_IN_TAKE_BY_FORCE
     if
     :: still && is_dead -> STEP(still = (joined_lock[fd] == NOBODY))
     :: else
     fi
#endif
#endif
  :: else
  fi;
  if
  :: still ->
     STEP(ReadRecord(fd));
#ifndef NO_SAME_RUN
     still = (previous == told_by)
#endif
  :: else
  fi;
  if
  :: still ->
     still = 0;
#ifndef REMOVE_REMAINS_ONLY_IN_TAKE_FREE
     RemoveRemains();
#endif
     ClearLockFiles(is_dead, false);
     if
     :: refused == NOBODY ->
        Publish();
        STEP(guard_new = NO_INODE);  // CreateFresh
        STEP(guard_new = me; record[me] = NOBODY; names_command[me] = 0);
        if
        :: previous != NOBODY && !is_dead -> STEP(SetOverridden())
        :: else
        fi;
#ifndef PUBLISH_BEFORE_LOCK
        LockNewGuard();
#endif
        STEP(Overwrite(me, me, 0, new_runs));
        if
        :: previous != NOBODY && !is_dead ->
           STEP(
             Overwrite(fd, previous, with_command, runs);
             says_released[fd] = is_released;
             says_overridden[fd] = 1
           )
        :: else
        fi;
        STEP(
#ifdef WITH_CLEANER
          // The guard was removed after the check of its name. Another run may
          // have made one since.
          guard = (guard == NO_INODE -> fd : guard);
          unguarded[run_lock[guard]] = unguarded[run_lock[guard]] ||
              (unguarded[me] && run_lock[guard] != NOBODY);
          unguarded[me] = 0;
#endif
          CHECK(no_live_guard_is_lost,
                (MAY_TAKE(run_lock[guard]) &&
                 MAY_TAKE_JOINED(joined_lock[guard])) || AGREED_TO_NO_RECORD ||
                unguarded[run_lock[guard]]);
          overridden[previous] = overridden[previous] || AGREED_TO(previous);
          overridden[run_lock[guard]] = overridden[run_lock[guard]] ||
              AGREED_TO(run_lock[guard]) || AGREED_TO_NO_RECORD;
#ifdef WITH_JOINED
          overridden[joined_lock[guard]] = overridden[joined_lock[guard]] ||
              AGREED_TO(OUTER) || AGREED_TO_NO_RECORD;
#endif
          CHECK(new_guard_is_own, guard_new == me);
          guard = guard_new;
          guard_new = NO_INODE
        );
#ifdef PUBLISH_BEFORE_LOCK
        LockNewGuard();
#endif
        Place(is_dead);
        DowngradeToRunLock(me);
        held = 1
     :: else -> STEP(guard_new = NO_INODE)
     fi
  :: else
  fi;
  CLOSE(OLD_GUARD(me));
  fd = (held -> me : fd);
  ForgetRecord()
}

// Joins `found`, the run in the guard `fd`, which this run is inside. If this
// does not set `joined`, try again.
inline Join() {
#ifndef NO_CHANGE_LOCK_IN_JOIN
  WAIT(LockChange(fd, OWN(me)));
#endif
#ifdef NO_SECOND_LOOK_IN_JOIN
  still = 1;
#else
  STEP(still = IsStillNamed(fd));
  if
  :: still -> STEP(still = (record[fd] == told_by))
  :: else
  fi;
#endif
  if
  :: still ->
     still = 0;
     JoinRun()
  :: else -> CLOSE(OWN(me))
  fi;
  found = NOBODY;
  told_by = NOBODY
}

inline ForgetFound() {
  waits = 0;
  left_behind = 0;
  found = NOBODY;
  told_by = NOBODY
}

// Sets `held`, `refused` or `joined`. If it sets both `held` and `refused`, the
// caller has to release the lock.
inline Acquire() {
  do
  :: STEP(
#ifdef WITH_CLEANER
       guard = (guard == NO_INODE -> FRESH : guard);
#endif
       fd = guard
     );
     STEP(
       still = CanLockAll(fd);
       if
       :: still -> LockAll(fd)
       :: else
       fi
     );
     if
     :: still ->
#ifndef NO_NAME_CHECK_IN_ACQUIRE
        STEP(still = IsStillNamed(fd); unguarded[me] = unguarded[me] && !still);
#endif
        if
        :: still -> still = 0; TakeFree(); break
        :: else -> CLOSE(OWN(me))
        fi
     :: else ->
        STEP(
          found = record[fd];
          with_command = names_command[fd];
          told_by = found;
          runs = overridden_runs[fd]
        );
        if
        :: found != NOBODY -> STEP(waits = !process[found])
        :: else -> found = NO_RECORD; waits = 1
        fi;
        if
#ifdef TAKE_OVER_ON_DEAD_WRAPPER
        :: found != NO_RECORD && waits -> left_behind = 1
#elif !defined(NEVER_TAKE_OVER)
        :: with_command && waits ->
           STEP(left_behind = (command[found] != RUNNING))
#endif
        :: else
        fi;
        with_command = 0;
#ifdef WITH_JOINED
        if  // a run inside a dead run has its lock, too
        :: left_behind -> STEP(left_behind = (joined_lock[fd] == NOBODY))
        :: else
        fi;
#endif
#ifndef LEFT_BEHIND_HIDES_OVERRIDDEN
        if
        :: left_behind && runs != 0 ->
           STEP(
             left = FIRST(LIVING(runs));
             if
             :: left != NOBODY -> found = left; left_behind = 0; waits = 0
             :: else
             fi;
             left = NOBODY
           )
        :: else
        fi;
#endif
        runs = 0;
        if
        :: IsOwn(found) ->
           waits = 0;
           left_behind = 0;
           Join();
           if
           :: joined -> break
           :: else
           fi
        :: !IsOwn(found) && (left_behind || AGREED_TO(found)) ->
           waits = 0;
           found = (found == NO_RECORD -> NOBODY : found);
           TakeByForce(left_behind);
           ForgetFound();
           if
           :: held || refused != NOBODY -> break
           :: else -> assert(me != NEXT || guard_removed)
           fi
        :: else ->
           if
           :: refused = found; ForgetFound(); break
           :: waits && me != NEXT -> ForgetFound()
           fi
        fi
     fi
  od
}

// Sets `still` to whether this run may make the change.
inline LockOwnChange() {
  STEP(change = guard; still = (change == fd));
#ifdef WITH_CLEANER
  nameless = (change == NO_INODE);
  change = (nameless -> 0 : change);
#endif
  if
  :: still ->
#ifdef LOCK_CHANGE_ON_OWN_DESCRIPTION
     WAIT(LockChange(change, OWN(me)));
#else
     WAIT(LockChange(change, CHANGE(me)));
#endif
     STEP(still = IsStillNamed(fd))
  :: else -> still = nameless
  fi;
  change = 0
}

inline UnlockOwnChange() {
#ifdef LOCK_CHANGE_ON_OWN_DESCRIPTION
  STEP(DROP(change_lock[fd], OWN(me)));
#endif
  CLOSE(CHANGE(me))
}

inline StartCommand() {
  STEP(
    CHECK(own_lock_file_is_in_place,
          lock_file == me || joined || cleaned || guard_removed ||
          FORCE != 0 || !LOCK_FILE_IS_MISSED);
    CHECK(no_run_outside_is_on,
          overridden[me] || overridden[OUTSIDE] || !outside_is_on ||
          !process[OUTSIDE]);
    CHECK(no_other_command_runs,
          overridden[me] || unguarded[me] ||
          ((joined || HAS_NO_COMMAND(1)) &&
           HAS_NO_COMMAND(2) && HAS_NO_COMMAND(3)));
    CHECK(overridden_run_stays_visible,
          overridden[me] || unguarded[me] || joined || TELLS_OF_ALL(fd));
    command[me] = RUNNING
  )
}

inline NameCommand() {
#ifdef NAME_COMMAND_UNLOCKED
  STEP(change = guard);
  STEP(Overwrite(change, me, 1, 0); named[me] = 1; change = 0);
#else
  LockOwnChange();
  if
  :: still ->
     still = 0;
     STEP(Overwrite(fd, me, 1, overridden_runs[fd]); named[me] = 1)
  :: else
  fi;
#endif
  UnlockOwnChange()
}

#ifdef WITH_CLEANER
inline PutGuardBack() {
  STEP(  // OpenGuard
    guard = (guard == NO_INODE -> FRESH : guard);
    still = (guard == FRESH)  // otherwise made by force
  );
  if
  :: still ->
     put_back = 1;
#ifdef PUT_BACK_UNLOCKED
     STEP(
       run_lock[FRESH] = OWN(me);
       change_lock[FRESH] = OWN(me);
       joined_lock[FRESH] = OWN(me)
     );
#else
     WAIT(LockChange(FRESH, OWN(me)));
     STEP(still = IsStillNamed(FRESH));
     if
     :: still ->
        STEP(still = (run_lock[FRESH] == NOBODY &&
                      joined_lock[FRESH] == NOBODY))
     :: else
     fi;
     if
     :: still -> STEP(still = (record[FRESH] == NOBODY))
     :: else
     fi;
     if
     :: still -> STEP(LockAll(FRESH))
     :: else
     fi;
#endif
     if
     :: still ->
        still = 0;
        STEP(
          CHECK(guard_put_back_is_own,
                !overridden[me] || !IsStillNamed(FRESH));
          runs = overridden_runs[fd];
#ifndef PUT_BACK_WITHOUT_COMMAND
          named[me] = 1;
#endif
          Overwrite(FRESH, me, named[me], runs);
          CHECK(vanished_guard_is_back, IsStillNamed(FRESH) || overridden[me]);
          unguarded[me] = 0;
          unguarded[1] = unguarded[1] && !HAS(runs, 1);
          unguarded[2] = unguarded[2] && !HAS(runs, 2);
          unguarded[3] = unguarded[3] && !HAS(runs, 3);
          runs = 0;
          fd = FRESH
        );
        DowngradeToRunLock(FRESH)
     :: else ->
        STEP(
          DROP(change_lock[FRESH], OWN(me));
          put_back = 0
        )
     fi
  :: else
  fi
}

// Acts only if something is missing. The first checks lock nothing.
inline CheckIntegrity() {
  STEP(still = !IsStillNamed(fd));
  if
  :: still ->
#ifdef PUT_BACK_WHEN_OVERRIDDEN
     still = 0;
#else
     STEP(still = says_overridden[fd]);
#endif
     if
     :: still -> still = 0
     :: else -> PutGuardBack(); still = 0; STEP(still = LOCK_FILE_IS_MISSED)
     fi
  :: else -> STEP(still = LOCK_FILE_IS_MISSED)
  fi;
  if
  :: still ->
#ifdef CHECK_INTEGRITY_UNLOCKED
     STEP(change = guard; still = (change == fd); change = 0);
#else
     LockOwnChange();
#endif
     if
     :: still -> STEP(still = (lock_file == NOBODY))
     :: else
     fi;
     if
     :: still ->
        Publish();
        STEP(
          CHECK(new_lock_file_is_own,
                lock_file_new == me || guard_removed);
          LinkLockFile(lock_file_new)
        );
        STEP(lock_file_new = NOBODY; written = 0);
        CHECK(vanished_lock_file_is_back,
              lock_file != NOBODY || guard_removed);
        still = 0
     :: else
     fi;
     UnlockOwnChange();
     nameless = 0
  :: else
  fi
}
#endif

// Removes this run, overridden and ended, from the current guard's record.
inline RemoveFromRecord() {
  STEP(
    still = (guard != NO_INODE);
    change = (still -> guard : 0)
  );
  if
  :: still ->
     WAIT(LockChange(change, CHANGE(me)));
     STEP(ReadRecord(change));
     if
     :: previous == me ->
        STEP(still = (run_lock[change] == NOBODY &&
                      joined_lock[change] == NOBODY));
        if
        :: still ->
#ifdef REMOVE_ALL_FROM_RECORD
           runs = 0;
#endif
           STEP(
             runs = LIVING(runs);
             left = FIRST(runs);
             Overwrite(change, left, named[left], WITHOUT(runs, left));
             CHECK(overridden_run_stays_visible,
                   TELLS_OF_ALL(change) || change != guard)
           )
        :: else
        fi
     :: previous != me && HAS(runs, me) ->
        STEP(overridden_runs[change] = WITHOUT(runs, me))
     :: else
     fi;
     STEP(DROP(change_lock[change], CHANGE(me)));
     ForgetRecord()
  :: else
  fi;
  change = 0;
  still = 0
}

// Prepares the record of the guard after this run's end.
inline Remaining() {
  ReadRecord(fd);
  if
  :: still -> // others have joined
     left = previous;
     is_released = is_released || !joined
  :: !still && joined ->
     DetermineRecordStatus();
     left = (left != NOBODY -> previous : NOBODY);
     with_command = with_command && left != NOBODY;
     runs = (left != NOBODY -> runs : 0)
  :: else ->
#ifdef RELEASE_EMPTIES_RECORD
     runs = 0;
#else
     runs = LIVING(runs);
#endif
     left = FIRST(runs);
     runs = WITHOUT(runs, left);
     with_command = named[left];
     is_released = 0
  fi;
#ifdef NO_RELEASED_IN_RECORD
  is_released = 0;
#endif
  still = 1
}

inline Release() {
  LockOwnChange();
  if
  :: still ->
     is_mine = !nameless;
     if
     :: !joined -> RemoveLockFiles()
     :: else
     fi;
     still = 0
  :: else -> RemoveFromRecord()
  fi;
  if
  :: is_mine ->
     is_mine = 0;
     // F_OFD_GETLK does not report the caller's own locks.
     STEP(still = (run_lock[fd] != NOBODY && run_lock[fd] != me));
     if
     :: !still ->
        STEP(still = (joined_lock[fd] != NOBODY && joined_lock[fd] != me))
     :: else
     fi;
     STEP(Remaining())
  :: else
  fi;
#ifndef NO_UNLOCK_IN_RELEASE
  if
  :: !joined -> STEP(run_lock[fd] = NOBODY; released[me] = 1)
  :: else -> STEP(joined_lock[fd] = NOBODY; released[me] = 1)
  fi;
#endif
  if
  :: still ->
     still = 0;
     STEP(
       Overwrite(fd, left, with_command, runs);
       says_released[fd] = is_released;
       CHECK(overridden_run_stays_visible,
             TELLS_OF_ALL(fd) || overridden[me] || fd != guard)
     )
  :: else
  fi;
  ForgetRecord();
  released[me] = 1;
  UnlockOwnChange();
  held = 0;
  written = 0;
  published = 0;
  nameless = 0
}

proctype Run(byte me) {
  byte fd, change;  // inodes
  byte found, told_by, previous, left, text, refused;
  // A bit for each run: agreement to its override; overridden according to the
  // record just read; overridden according to this run's future record.
  byte agreed, runs, new_runs;
  bit still, stale, waits, left_behind, with_command, written, published, held;
  bit joined, is_mine, is_released, nameless, put_back;

  if
  :: atomic {
       me == NEXT && !LIVES(1) && !LIVES(2) && !LIVES(3) && !process[OUTSIDE] ->
       process[NEXT] = 1
     }
#ifdef WITH_JOINED
  :: atomic {
       me == INNER && !LIVES(NEXT) &&
           (command[OUTER] == RUNNING || survivor[OUTER]) ->
       process[INNER] = 1
     }
  :: me == INNER -> goto ends  // no process starts it
  :: me != INNER && me != NEXT
#else
  :: me != NEXT
#endif
  fi;
  do
  :: Acquire();
     if
     :: refused == NOBODY ->
        StartCommand();
        if
        :: me == NEXT -> goto ends
        :: else
        fi;
#ifdef WITH_JOINED
        if
        :: joined ->
           STEP(command[me] == ENDED);  // after a kill, the command lives on
           Release();
           goto ends
        :: else
        fi;
#endif
        NameCommand();
        do
        :: atomic { command[me] == ENDED -> break }
        :: atomic { command[me] == RUNNING -> goto ends }
#ifdef WITH_CLEANER
        :: atomic {
             command[me] == RUNNING && (guard != fd || LOCK_FILE_IS_MISSED)
           } CheckIntegrity()
#endif
        od;
        Release();
        break
     :: else ->
        if
        :: held ->
#ifdef ONLY  // otherwise unchecked: it can happen beside an external run
           CHECK(refusal_changes_nothing, false);
#endif
           Release();
           CHECK(next_start_succeeds, me != NEXT);
           break  // no further attempt: it has only one inode
        :: else
        fi;
        if
        :: (FORCE >> me) & 1 -> agreed = agreed | (1 << refused)
        :: else ->
           // A surviving process may be the command if the run was killed
           // before it named its command, or had joined another run. Then the
           // next start has to refuse.
           CHECK(next_start_succeeds,
                 me != NEXT ||
                 (survivor[run_lock[fd]] && !released[run_lock[fd]] &&
                  !names_command[fd]) ||
                 (survivor[joined_lock[fd]] && !released[joined_lock[fd]]));
           break
        fi;
        refused = NOBODY
     fi
  od;
ends:
  atomic {
    true;
    d_step {
      ProcessEnds(me);
      // Makes all ends the same state.
      fd = 0; change = 0; found = 0; told_by = 0; previous = 0; text = 0;
      refused = 0; agreed = 0; still = 0; stale = 0; waits = 0; left_behind = 0;
      with_command = 0; written = 0; published = 0; held = 0; joined = 0;
      is_mine = 0; left = 0; runs = 0; new_runs = 0; is_released = 0;
      nameless = 0; put_back = 0
    }
  }
}

#ifdef WITH_OUTSIDE
proctype Outside() {
  byte me = OUTSIDE;
  if
  :: atomic { !process[lock_file] -> lock_file = OUTSIDE; outside_is_on = 1 };
     STEP(
       if
       :: lock_file == OUTSIDE -> lock_file = NOBODY
       :: else
       fi;
       process[OUTSIDE] = 0
     )
  :: true
  fi;
ends:
  process[OUTSIDE] = 0
}
#endif

#ifdef WITH_CLEANER
#define UNGUARD(run)                                                \
  unguarded[run] = unguarded[run] || record[guard] == run ||     \
                   HAS(overridden_runs[guard], run) ||                \
                   run_lock[guard] == OWN(run) ||               \
                   change_lock[guard] == OLD_GUARD(run)

proctype Cleaner() {

  do
  :: atomic {
       lock_file != NOBODY && !cleaned ->
       lock_file = NOBODY;
       cleaned = 1
     }
#ifdef WITH_GUARD_REMOVED
  :: atomic {
       !guard_removed ->
       guard_removed = 1;
       UNGUARD(1);
       UNGUARD(2);
       UNGUARD(3);
       guard = NO_INODE
     }
#endif
  :: break
  od
}
#endif

// The end of a command, with or without a surviving process.
inline CommandEnds(who) {
  if
  :: d_step {
       command[who] == RUNNING ->
       command[who] = ENDED;
       DroppedUnlessInherited(who)
     }
#ifdef WITH_CLOSED
  :: d_step {
       command[who] == RUNNING && named[who] && !closed[who] ->
       closed[who] = 1;
       DroppedUnlessInherited(who)
     }
#endif
#ifndef NO_SURVIVORS
  :: d_step {
       command[who] == RUNNING ->
       command[who] = ENDED;
       survivor[who] = 1
     }
  :: d_step {
       survivor[who] && !process[NEXT] ->
       survivor[who] = 0;
       DroppedUnlessInherited(who)
     }
#endif
  fi
}

init {
  atomic {
    process[1] = 1;
    run Run(1);
    process[2] = 1;
    run Run(2);
#if RUNS == 3
    process[3] = 1;
    run Run(3);
#endif
#ifdef WITH_JOINED
    run Run(INNER);
#endif
#ifdef WITH_OUTSIDE
    process[OUTSIDE] = 1;
    run Outside();
    if
    :: lock_file = DEAD_OUTSIDE
    :: true
    fi;
#endif
#ifdef WITH_CLEANER
    run Cleaner();
#endif
#ifdef AFTER_A_SURVIVOR
    command[3] = ENDED;
    survivor[3] = 1;
    run_lock[guard] = OWN(3);
    record[guard] = 3;
    names_command[guard] = 1;
    lock_file = 3;
#endif
#ifdef AFTER_AN_OVERRIDE
    command[3] = RUNNING;
    record[guard] = 3;
    named[3] = 1;
    names_command[guard] = 1;
    overridden[3] = 1;
#endif
    run Run(NEXT)
  }
end:
  do
  :: CommandEnds(1)
  :: CommandEnds(2)
  :: CommandEnds(3)
  od
}
