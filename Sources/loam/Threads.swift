import Foundation

/// How libtorch's threads wait for each other.
enum Threads {
    /// Makes them sleep instead of spin.
    ///
    /// The default of libgomp is to spin. Where another process wants the same cores the spinning ones take the turn of those
    /// they wait for: a training step was measured 13 times slower beside one busy process, and 1.3 times with sleeping
    /// threads. libgomp reads the variable when it is loaded, before this code runs, so the process starts itself again, once.
    static func waitWithoutSpinning() {
        guard getenv("OMP_WAIT_POLICY") == nil else { return }
        setenv("OMP_WAIT_POLICY", "passive", 1)
        // Some microseconds of it stay: writing a token takes hundreds of short parallel steps, and waking a thread for each
        // cost a third of the speed.
        setenv("GOMP_SPINCOUNT", "1000", 0)
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        // Comes back only where it fails; then the work goes on as it is.
        execv("/proc/self/exe", &arguments)
        for argument in arguments { free(argument) }
    }
}
