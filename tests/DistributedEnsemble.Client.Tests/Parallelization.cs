// Half of the time these tests wait: for processes that start, for silos that stop, for disks.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.Collections, MaxThreads = 4)]
