// A quarter of the time these tests wait: for silos that start and stop, for disks.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.Collections, MaxThreads = 3)]
