import ArgumentParser
import Foundation

/// What libtorch's libraries read from the environment when they are loaded: how their threads wait for each other, and what they keep.
enum Threads {
    /// - Throws: `ValidationError` for a number of threads that libtorch does not take.
    static func require(_ count: Int) throws {
        guard (1...4096).contains(count) else {
            throw ValidationError("--threads must be from 1 to 4096, it is \(count)")
        }
    }

    /// Makes threads sleep instead of spin, and lets oneDNN keep fewer kernels.
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
        // oneDNN compiles a product for each shape that it meets and keeps 1,024 of them; texts have many lengths.
        setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256", 0)
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        // Comes back only where it fails; then the work goes on as it is.
        execv("/proc/self/exe", &arguments)
        for argument in arguments { free(argument) }
    }
}
