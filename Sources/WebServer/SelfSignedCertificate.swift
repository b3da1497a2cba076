import COpenSSL
import Foundation

/// A certificate for a first trial: browsers warn of it once. ECDSA P-256, ten years, for localhost, the machine's name and the loopback addresses.
package enum SelfSignedCertificate {
    package struct Fault: Error, CustomStringConvertible {
        package let description: String
    }

    /// The files in `folder`, made where they are missing; the key is readable by its owner alone.
    package static func files(in folder: String) throws(Fault) -> TLSFiles {
        let files = TLSFiles(certificate: folder + "/certificate.pem", key: folder + "/key.pem")
        let manager = FileManager.default
        if manager.isReadableFile(atPath: files.certificate), manager.isReadableFile(atPath: files.key) { return files }
        guard
            // The fault names the folder, which is what can be changed.
            (try? manager.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])) != nil
        else {
            throw Fault(description: "\(folder) cannot be made")
        }
        let (certificate, key) = try make()
        try write(key, to: files.key, mode: 0o600)
        try write(certificate, to: files.certificate, mode: 0o600)
        return files
    }

    private static func write(_ bytes: [UInt8], to path: String, mode: Int) throws(Fault) {
        let manager = FileManager.default
        // Made empty with its mode first: the key is never readable by others, not even for a moment.
        guard manager.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: mode]),
            // The fault names the file, which is what can be changed.
            let handle = FileHandle(forWritingAtPath: path), (try? handle.write(contentsOf: Data(bytes))) != nil
        else { throw Fault(description: "\(path) cannot be written") }
        // What was written is tried when it is loaded.
        try? handle.close()
    }

    private static func make() throws(Fault) -> (certificate: [UInt8], key: [UInt8]) {
        let fault = Fault(description: "OpenSSL could not make a certificate")
        guard let key = nc_p256_generate() else { throw fault }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw fault }
        defer { X509_free(certificate) }
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), .random(in: 1...UInt64(Int64.max)))
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3_600)
        X509_gmtime_adj(X509_getm_notAfter(certificate), 10 * 365 * 86_400)
        X509_set_pubkey(certificate, key)
        let name = X509_get_subject_name(certificate)
        let common = Array("Nhip Cau".utf8)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common, Int32(common.count), -1, 0)
        X509_set_issuer_name(certificate, name)
        let host = ProcessInfo.processInfo.hostName
        let isPlain =
            !host.isEmpty
            && host.utf8.allSatisfy { $0 == 45 || $0 == 46 || (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) }
        let names = "DNS:localhost,IP:127.0.0.1,IP:::1" + (isPlain ? ",DNS:\(host)" : "")
        guard let alternatives = X509V3_EXT_conf_nid(nil, nil, NID_subject_alt_name, names) else { throw fault }
        defer { X509_EXTENSION_free(alternatives) }
        guard X509_add_ext(certificate, alternatives, -1) == 1, X509_sign(certificate, key, EVP_sha256()) > 0 else { throw fault }
        guard let certificateText = pem({ PEM_write_bio_X509($0, certificate) }),
            let keyText = pem({ PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) })
        else { throw fault }
        return (certificateText, keyText)
    }

    private static func pem(_ write: (OpaquePointer?) -> Int32) -> [UInt8]? {
        guard let bio = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 8_192)
        let count = BIO_read(bio, &bytes, Int32(bytes.count))
        return count > 0 ? Array(bytes.prefix(Int(count))) : nil
    }
}
