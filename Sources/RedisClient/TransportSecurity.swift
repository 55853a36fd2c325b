import Glibc
import NIOCore
import NIOPosix
import Files

#if TLS
    import NIOSSL
#endif

/// The TLS layer of a connection, if it has one. All code that depends on the package trait `TLS` is in this file and
/// in `RedisURLText`, which refuses `rediss://` without it.
struct TransportSecurity: Sendable {
    #if TLS
        private struct Layer: Sendable {
            let context: NIOSSLContext
            /// For SNI and for verification of the certificate; nil for an IP address, which is verified as one.
            let host: String?
        }

        private let layer: Layer?

        static func prepare(for url: RedisURL, _ options: RedisOptions) async throws -> TransportSecurity {
            guard url.usesTLS, case .tcp(let host, _) = url.address else { return TransportSecurity(layer: nil) }
            do {
                // Reads certificates from files, so it must not run on the cooperative thread pool.
                let context = try await NIOThreadPool.singleton.runIfActive {
                    var configuration = TLSConfiguration.makeClientConfiguration()
                    if let file = options.caFile { configuration.trustRoots = try roots(in: file) }
                    if !options.verifiesCertificate { configuration.certificateVerification = .none }
                    return try NIOSSLContext(configuration: configuration)
                }
                let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
                return TransportSecurity(layer: Layer(context: context, host: isAddress ? nil : host))
            } catch {
                let file = options.caFile.map { "the certificates in \($0)" } ?? "the certificates of the system"
                throw RedisError.cannotConnect(to: url.redacted, reason: "\(file) cannot be used (\(error))")
            }
        }

        private static func roots(in file: String) throws -> NIOSSLTrustRoots {
            // BoringSSL reads a directory of certificates itself, and takes its path as text.
            if FilePath.status(of: file).map({ $0.st_mode & S_IFMT == S_IFDIR }) == true { return .file(file) }
            guard let bytes = FilePath.contents(of: file) else {
                throw IOError(errnoCode: errno, reason: "reading it")
            }
            return .certificates(try NIOSSLCertificate.fromPEMBytes(bytes))
        }

        func add(to pipeline: ChannelPipeline.SynchronousOperations) throws {
            guard let layer else { return }
            try pipeline.addHandler(NIOSSLClientHandler(context: layer.context, serverHostname: layer.host))
        }

        static func reason(of error: any Error) -> String? {
            let text = "\(error)"
            if text.contains("CERTIFICATE_VERIFY_FAILED") {
                return "the server's certificate is not signed by a trusted authority (set the CA file)"
            }
            if (error as? NIOSSLExtraError) == .failedToValidateHostname
                || (error as? NIOSSLError) == .unableToValidateCertificate
            {
                return "the server's certificate is for a different name (\(text))"
            }
            switch error as? NIOSSLError {
            case .handshakeFailed: return "the TLS handshake failed (\(text))"
            case .uncleanShutdown: return "the server closed the connection"
            default: return nil
            }
        }
    #else
        static func prepare(for url: RedisURL, _: RedisOptions) async throws -> TransportSecurity {
            guard !url.usesTLS else {
                throw RedisError.cannotConnect(
                    to: url.redacted, reason: "this build has no TLS: build with the TLS trait")
            }
            return TransportSecurity()
        }

        func add(to _: ChannelPipeline.SynchronousOperations) throws {}

        static func reason(of _: any Error) -> String? { nil }
    #endif
}
