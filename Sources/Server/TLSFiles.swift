import Foundation
import HummingbirdTLS

/// The files that make the server speak TLS itself: a chain of certificates and their key, both PEM.
public struct TLSFiles: Sendable, Hashable {
    public var certificate: URL
    public var key: URL

    public init(certificate: URL, key: URL) {
        self.certificate = certificate
        self.key = key
    }

    /// - Throws: `ServerSetupFault` that names the file that cannot be read.
    func configuration() throws -> TLSConfiguration {
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(certificate.path) } catch {
            throw Self.fault(certificate, "tls-cert")
        }
        guard !chain.isEmpty else { throw Self.fault(certificate, "tls-cert") }
        let secret: NIOSSLPrivateKey
        do { secret = try NIOSSLPrivateKey(file: key.path, format: .pem) } catch { throw Self.fault(key, "tls-key") }
        return .makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(secret))
    }

    private static func fault(_ file: URL, _ option: String) -> ServerSetupFault {
        ServerSetupFault("\(file.path): no PEM file of the kind that --\(option) wants")
    }
}
