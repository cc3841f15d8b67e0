// Full Unicode case folding: what makes strings that differ only in case the same bytes, "Straße" and "STRASSE" among them.
//
// The table is our own and pinned (CaseFoldingTable.swift names its version): index entries are folded, so folding must never
// change with the Swift version or the system. It is the language-independent folding, statuses C and F; nothing is
// normalized. Each scalar folds by itself, so the folding of joined texts is their foldings joined, and what begins
// with a prefix begins with its folding. A folded text folds to itself.
internal import OfflineBytes

/// Folds text.
package enum CaseFolding {
    /// Appends the folding of UTF-8 text. Bytes that are no UTF-8 are appended as they are.
    ///
    /// Takes time in proportion to the text, and appends at most three times as many bytes.
    package static func append(_ utf8: UnsafeRawBufferPointer, to folded: inout [UInt8]) {
        var offset = 0
        while offset < utf8.count {
            let byte = unsafe utf8[offset]
            if byte < 0x80 {
                let isCapital = byte &- UInt8(ascii: "A") < 26
                folded.append(isCapital ? byte | 0x20 : byte)
                offset += 1
                continue
            }
            let start = offset
            if let scalar = unsafe UTF8Scalars.next(utf8, at: &offset), append(scalar, to: &folded)
            {
                continue
            }
            unsafe folded.append(contentsOf: utf8[start..<offset])
        }
    }

    /// The folding of a string.
    package static func fold(_ string: String) -> [UInt8] {
        var folded: [UInt8] = []
        folded.reserveCapacity(string.utf8.count)
        unsafe string.withUTF8Bytes { unsafe append($0, to: &folded) }
        return folded
    }

    /// Calls `body` with each scalar that doesn't fold to itself.
    package static func forEachFolded(_ body: (UInt32) -> Void) {
        let runs = CaseFoldingTable.runs
        for run in stride(from: 0, to: runs.count, by: 4) {
            for scalar in stride(from: runs[run], through: runs[run + 1], by: Int(runs[run + 2])) {
                body(UInt32(bitPattern: scalar))
            }
        }
        let expansions = CaseFoldingTable.expansions
        for row in stride(from: 0, to: expansions.count, by: 4) {
            body(UInt32(bitPattern: expansions[row]))
        }
    }

    /// Appends what a scalar folds to; false, and nothing is appended, where that is the scalar itself.
    private static func append(_ scalar: UInt32, to folded: inout [UInt8]) -> Bool {
        let value = Int32(truncatingIfNeeded: scalar)
        let runs = CaseFoldingTable.runs
        if let run = row(of: value, in: runs), value <= runs[run + 1],
            (value - runs[run]) % runs[run + 2] == 0
        {
            UTF8Scalars.append(UInt32(bitPattern: value + runs[run + 3]), to: &folded)
            return true
        }
        let expansions = CaseFoldingTable.expansions
        guard let row = row(of: value, in: expansions), expansions[row] == value else {
            return false
        }
        for part in expansions[row + 1...row + 3] where part != 0 {
            UTF8Scalars.append(UInt32(bitPattern: part), to: &folded)
        }
        return true
    }

    /// Where the last row of four begins whose first number isn't above `value`.
    private static func row(of value: Int32, in table: [Int32]) -> Int? {
        var low = 0
        var high = table.count / 4
        while low < high {
            let middle = (low + high) / 2
            if table[middle * 4] <= value { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : (low - 1) * 4
    }
}
