import Foundation

/// Writes a file so that a reader sees the old one or the whole new one, never a part: a temporary file beside it, then
/// flush to the disk, then rename.
struct AtomicFile {
    private let url: URL
    private let temporary: String
    private let descriptor: Int32

    /// Writes what `body` hands to `append`, in order; on an error nothing stays behind and the old file is untouched.
    static func write(to url: URL, _ body: (_ append: (UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws {
        let file = try AtomicFile(url)
        do {
            try body(file.append)
            guard fsync(file.descriptor) == 0 else { throw file.unwritable("cannot flush") }
            close(file.descriptor)
        } catch {
            close(file.descriptor)
            unlink(file.temporary)
            throw error
        }
        guard rename(file.temporary, url.path) == 0 else {
            let fault = file.unwritable("cannot rename into place")
            unlink(file.temporary)
            throw fault
        }
    }

    private init(_ url: URL) throws {
        self.url = url
        // mkstemp picks a name that nobody has, so two writers of one file do not meet.
        var template = Array((url.path + ".XXXXXX").utf8CString)
        descriptor = mkstemp(&template)
        temporary = template.withUnsafeBufferPointer { buffer in
            String(decoding: buffer.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        guard descriptor >= 0 else { throw unwritable("cannot create a file beside it") }
        fchmod(descriptor, 0o644)  // mkstemp makes it private; a model is not
    }

    private func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw unwritable("cannot write")
            }
            rest = rest.dropFirst(written)
        }
    }

    private func unwritable(_ what: String) -> ModelFormatsError {
        .init(.unwritable, file: url.path, "\(what): \(String(cString: strerror(errno)))")
    }
}
