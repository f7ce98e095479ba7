// Tests mostly wait: for processes to start, for the others to miss a silo, for disks. Each has a cluster of its own, and three of
// them keep two cores busy without letting silos miss each other's probes.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.All, MaxThreads = 3)]
