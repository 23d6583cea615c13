import fc from 'fast-check';

// For mutation tests: the same cases in each run, and no shrinking of what has failed.
fc.configureGlobal({ seed: 20_26, endOnFailure: true });
