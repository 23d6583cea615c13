import fc from 'fast-check';

// The same cases in each run: a test that fails, fails again. Other cases come in the long form, which sets one
// of these, as npm run soak:faults does; what fails there states its seed.
if (process.env.FUZZ_RUNS === undefined && process.env.FAULT_ROUNDS === undefined)
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_26 });

export { fc };
