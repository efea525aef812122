//! Mistakes on purpose, to see that the proof finds them.
//!
//! A server that is built for release never makes one: `sync::seeded` says no there, at compile
//! time.

/// Mistakes that the proof must find, and a simulation those that one thread can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The lock of a shard is let go between the look-up and what is done about it.
    LooksBeforeLocking,
    /// A unique is counted by a load and a store.
    CountsUniquesInTwoSteps,
    /// Memory is taken by a look and an addition.
    TakesMemoryInTwoSteps,
    /// What is used is given back by a load and a store.
    ReleasesMemoryInTwoSteps,
    /// A due flush is carried out without looking again under its lock.
    SettlesWithoutRecheck,
    /// A due flush is carried out by whoever sees it, all at once.
    SettlesWithoutLock,
    /// Compaction leaves the table as it was.
    ForgetsToRelocate,
    /// Compaction loses what was done with an item.
    LosesMarks,
    /// An overwrite leaves the old record in the table.
    KeepsBothRecords,
    /// An item is looked up by its tag alone.
    TrustsTags,
    /// Segments of an older epoch are written on.
    AppendsAcrossFlushes,
    /// An evicted item stays in the table.
    EvictsWithoutRemoving,
    /// A split leaves an entry where it was.
    SplitsWithoutMoving,
    /// A flush is said to be carried out before others must see that it is.
    SettlesWithoutRelease,
    /// Who hears that a flush was carried out need not see that it was.
    SettlesWithoutAcquire,
}
