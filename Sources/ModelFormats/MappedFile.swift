import Foundation

/// A file's bytes, mapped read-only: opening a model of many gigabytes costs nothing until its pages are touched.
///
/// Sharing it is safe: the mapping is never written and lives as long as this object. A file that another process cuts
/// short while it is mapped ends this process (SIGBUS), so writers replace files by rename and never in place.
final class MappedFile: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer

    init(_ url: URL) throws {
        func unreadable(_ what: String) -> ModelFormatsError {
            .init(.unreadable, file: url.path, "\(what): \(String(cString: strerror(errno)))")
        }
        let descriptor = open(url.path, O_RDONLY)
        guard descriptor >= 0 else { throw unreadable("cannot open") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw unreadable("cannot read its size") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ModelFormatsError(.unreadable, file: url.path, "not a regular file")
        }
        let size = Int(status.st_size)
        guard size > 0 else {  // an empty mapping is an error to the kernel, and no format of ours is empty
            throw ModelFormatsError(.malformed, file: url.path, "the file is empty")
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw unreadable("cannot map")
        }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit {
        guard let start = bytes.baseAddress else { return }
        munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
}
