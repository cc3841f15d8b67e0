// First half of a verification: every byte that is in use, file by file, with `pread` and bounded buffers. What it proves:
// each file is there, is the one it says, and all its frames, records and nodes have the checksums they were written with.
internal import OfflineBytes

/// Checks files one after another.
struct FileVerifier {
    let files: OpenFiles
    private(set) var result = VerificationResult()

    init(files: OpenFiles) { self.files = files }

    /// Checks one file up to the bytes in use.
    mutating func verify(_ number: FileNumber, _ usage: FileUsage) {
        let name = FileNames.name(number, usage.kind)
        do throws(FileSystemError) {
            let path = files.path(number, usage.kind)
            guard let information = try files.system.information(path) else {
                return result.add(VerificationFinding("the file is missing", file: name))
            }
            guard information.kind == .file, information.size >= usage.length else {
                return result.add(
                    VerificationFinding(
                        "the file has \(information.size) bytes where \(usage.length) are in use",
                        file: name, offset: information.size))
            }
            let file = try files.system.open(path, .read)
            defer { file.close() }
            guard try verifyHeader(file, number, usage, name) else { return }
            result.bytesChecked += Int64(usage.length)
            switch usage.kind {
            case .log: try verifyFrames(file, number, usage, name)
            case .tree: try verifyNodes(file, number, usage, name)
            }
        } catch {
            result.add(VerificationFinding(EngineError(error)))
        }
    }

    private mutating func verifyHeader(
        _ file: any File, _ number: FileNumber, _ usage: FileUsage, _ name: String
    ) throws(FileSystemError) -> Bool {
        let head = try file.readArray(count: FileHeader.size, at: 0)
        switch unsafe head.withUnsafeBytes({ unsafe FileHeader.read($0) }) {
        case .header(let header):
            if header.store == files.store, header.number == number, header.kind == usage.kind,
                header.isStaged == usage.isStaged
            {
                return true
            }
            result.add(
                VerificationFinding(
                    "the header is another file's or store's", file: name, offset: 0))
        case .unused:
            result.add(VerificationFinding("the file has no header", file: name, offset: 0))
        case .bad(let reason):
            result.add(VerificationFinding(reason, file: name, offset: 0))
        case .unsupported(let version):
            result.add(
                VerificationFinding("the file has format version \(version)", file: name, offset: 8)
            )
        }
        return false
    }

    /// The frames of a log file, chained from the first, and the operations in them.
    private mutating func verifyFrames(
        _ file: any File, _ number: FileNumber, _ usage: FileUsage, _ name: String
    ) throws(FileSystemError) {
        let reader = try FrameReader(file: file, number: number, storeTag: files.store.tag)
        var offset = UInt64(FileHeader.size)
        var chain: UInt32?
        while offset < usage.length {
            guard
                case .frame(let header, let checksum, let body) = try reader.frame(
                    at: offset, chain: chain)
            else {
                return result.add(
                    VerificationFinding(
                        "there is no valid frame where the log has one", file: name, offset: offset)
                )
            }
            result.framesChecked += 1
            if header.kind == .commit || header.kind == .stagedPart {
                verifyOperations(body, at: offset + UInt64(FrameHeader.size), name)
            }
            chain = checksum
            offset += UInt64(header.frameLength)
        }
    }

    private mutating func verifyOperations(_ body: [UInt8], at start: UInt64, _ name: String) {
        unsafe body.withUnsafeBytes { bytes in
            var buffer = InflateBuffer()
            var offset = 0
            while offset < bytes.count {
                do throws(LogOperationError) {
                    let entry = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset...])
                    let operation = try unsafe LogOperation.read(entry)
                    if operation.isDeflated {
                        _ = unsafe try DeflatedRecord.record(at: offset, in: bytes, &buffer)
                    }
                    offset += operation.paddedLength
                } catch {
                    return result.add(
                        VerificationFinding(
                            error.message, file: name, offset: start + UInt64(offset)))
                }
            }
        }
    }

    /// The nodes of a segment, one after another, and its catalog.
    private mutating func verifyNodes(
        _ file: any File, _ number: FileNumber, _ usage: FileUsage, _ name: String
    ) throws(FileSystemError) {
        let reader = try FrameReader(file: file, number: number, storeTag: files.store.tag)
        var offset = UInt64(FileHeader.size)
        while offset < usage.length {
            let bytes = try file.readArray(count: NodeLayout.pageSize, at: offset)
            if let length = unsafe bytes.withUnsafeBytes({ unsafe Self.soundNodeLength($0) }) {
                result.nodesChecked += 1
                offset += UInt64(length)
                continue
            }
            guard case .frame(let header, _, _) = try reader.frame(at: offset) else {
                return result.add(
                    VerificationFinding(
                        "neither a valid node nor a valid frame stands here", file: name,
                        offset: offset))
            }
            result.framesChecked += 1
            offset += UInt64(header.frameLength)
        }
    }

    /// The length of the node that begins `bytes`, if its checksum is right.
    private static func soundNodeLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= NodeLayout.slots, let base = bytes.baseAddress,
            unsafe base.little(NodeLayout.magicAt, as: UInt32.self) == NodeLayout.magic
        else { return nil }
        let length = Int(unsafe base.little(NodeLayout.length, as: UInt16.self))
        guard length >= NodeLayout.slots, length <= bytes.count else { return nil }
        let sum = unsafe CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[4..<length]))
        return unsafe base.little(NodeLayout.checksum, as: UInt32.self) == sum
            ? (length + 7) & ~7 : nil
    }
}
