using DistributedEnsemble.Silo;

return await SiloCommand.Create().Parse(args).InvokeAsync();
