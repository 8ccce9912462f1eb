// Which of MKL's kernels a processor gets.

#if defined(__x86_64__)
extern "C" {

// libtorch's MKL asks this before it looks at what the processor can do, and gives those of other makers slower kernels: float32
// products of dialogue models were measured at 1.3 to 1.6 times the speed on an AMD EPYC (Zen 3) with the answer yes
// (Benchmarks/RESULTS.md). The kernels are still chosen by the processor's own features, so nothing is run that it lacks. MKL exports
// the function, so the one of the program is taken; a libtorch without MKL never asks.
__attribute__((visibility("default"), used, retain)) int mkl_serv_intel_cpu_true(void) { return 1; }

} // extern "C"
#endif
