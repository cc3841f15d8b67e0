// What one file holds: as every read sees it, as a power cut certainly leaves it, and the changes between the two.
//
// Invariant: `durable` with all of `pending` applied in order is `written`, until a sync failed and dropped its pending
// changes (then `written` shows bytes that will never be durable).
#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The bytes of a simulated file.
struct SimulatedContent {
    /// A write is torn at these borders only.
    static let sectorSize = 512
    /// EFBIG above it, so that a wild offset doesn't eat the machine's memory.
    static let sizeMax = 1 << 30

    enum Change {
        case write(offset: Int, bytes: [UInt8])
        case resize(Int)
    }

    private(set) var written: [UInt8] = []
    private(set) var durable: [UInt8] = []
    private(set) var pending: [Change] = []

    init() {}

    /// Bytes that are all durable.
    init(durable bytes: [UInt8]) {
        written = bytes
        durable = bytes
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard unsafe !bytes.isEmpty else { return }
        let change = unsafe Change.write(offset: offset, bytes: [UInt8](bytes))
        Self.apply(change, to: &written)
        pending.append(change)
    }

    mutating func resize(to size: Int) {
        guard size != written.count else { return }
        Self.apply(.resize(size), to: &written)
        pending.append(.resize(size))
    }

    mutating func sync() {
        for change in pending { Self.apply(change, to: &durable) }
        pending = []
    }

    /// A sync that failed: what it had to write is on the disk or lost, as `choices` say, and will not be tried again.
    mutating func dropPending(_ choices: inout CrashChoices) {
        durable = afterCrash(&choices, stale: [])
        pending = []
    }

    /// The bytes that a power cut leaves. `stale` is what the blocks may have held before.
    func afterCrash(_ choices: inout CrashChoices, stale: [UInt8]) -> [UInt8] {
        guard !pending.isEmpty else { return durable }
        var image = durable
        for (change, fate) in zip(pending, choices.fates(pending.count)) {
            switch (change, fate) {
            case (_, .kept), (.resize, .sizeOnly): Self.apply(change, to: &image)
            case (_, .lost), (.resize, .torn): break
            case (.write(let offset, let bytes), .torn):
                let sectors = choices.sectors(Self.sectors(of: bytes.count, at: offset).count)
                let torn = TornWrite(
                    offset: offset, bytes: bytes, sectors: sectors,
                    keepsSize: choices.keepsSizeOfTorn())
                torn.apply(to: &image, &choices, stale: stale)
            case (.write(let offset, let bytes), .sizeOnly):
                let count = Self.sectors(of: bytes.count, at: offset).count
                let torn = TornWrite(
                    offset: offset, bytes: bytes,
                    sectors: Array(repeating: false, count: count), keepsSize: true)
                torn.apply(to: &image, &choices, stale: stale)
            }
        }
        return image
    }

    /// The sectors that a write touches.
    static func sectors(of count: Int, at offset: Int) -> Range<Int> {
        offset / sectorSize..<(offset + count + sectorSize - 1) / sectorSize
    }

    private static func apply(_ change: Change, to image: inout [UInt8]) {
        switch change {
        case .resize(let size): resize(&image, to: size)
        case .write(let offset, let bytes):
            if offset == image.count {
                image.append(contentsOf: bytes)
                return
            }
            if offset + bytes.count > image.count { resize(&image, to: offset + bytes.count) }
            put(bytes[...], into: &image, at: offset)
        }
    }

    fileprivate static func resize(_ image: inout [UInt8], to size: Int) {
        if size < image.count {
            image.removeLast(image.count - size)
        } else {
            image.append(contentsOf: zeros(size - image.count))
        }
    }

    fileprivate static func put(
        _ bytes: ArraySlice<UInt8>, into image: inout [UInt8], at offset: Int
    ) {
        unsafe image.withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(
                    rebasing: target[offset..<offset + source.count]
                ).copyMemory(from: source)
            }
        }
    }

    /// By memset: the tests run unoptimized, where a loop over bytes takes long.
    fileprivate static func zeros(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            if let base = buffer.baseAddress { unsafe memset(base, 0, count) }
            filled = count
        }
    }
}

/// A write of which only some sectors reached the disk.
private struct TornWrite {
    let offset: Int
    let bytes: [UInt8]
    /// For each sector that it touches, whether it was written.
    let sectors: [Bool]
    /// Whether the file grew for all of it.
    let keepsSize: Bool

    /// Applies what was written. Where the file grew over lost sectors, they hold what `choices` fill in; a gap before the
    /// write is a hole and reads as zeros, as always.
    func apply(to image: inout [UInt8], _ choices: inout CrashChoices, stale: [UInt8]) {
        let before = image.count
        var reach = keepsSize ? offset + bytes.count : 0
        if let last = sectors.lastIndex(of: true) { reach = max(reach, range(of: last).upperBound) }
        if reach > before { SimulatedContent.resize(&image, to: reach) }
        let filler = choices.filler()
        for (index, isKept) in sectors.enumerated() {
            let range = range(of: index)
            if isKept {
                let source = bytes[range.lowerBound - offset..<range.upperBound - offset]
                SimulatedContent.put(source, into: &image, at: range.lowerBound)
            } else {
                let lost = range.clamped(to: before..<max(before, reach))
                fill(lost, of: &image, filler, &choices, stale: stale)
            }
        }
    }

    /// The part of the write that lies in one of its sectors.
    private func range(of sector: Int) -> Range<Int> {
        let start = (offset / SimulatedContent.sectorSize + sector) * SimulatedContent.sectorSize
        return (start..<start + SimulatedContent.sectorSize)
            .clamped(to: offset..<offset + bytes.count)
    }

    private func fill(
        _ range: Range<Int>, of image: inout [UInt8], _ filler: CrashChoices.Filler,
        _ choices: inout CrashChoices, stale: [UInt8]
    ) {
        guard !range.isEmpty else { return }
        switch filler {
        case .zeros: break
        case .garbage:
            SimulatedContent.put(
                choices.garbage(range.count)[...], into: &image, at: range.lowerBound)
        case .stale:
            let there = range.clamped(to: 0..<stale.count)
            SimulatedContent.put(stale[there], into: &image, at: range.lowerBound)
        }
    }
}
