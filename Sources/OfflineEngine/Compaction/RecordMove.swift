// What compaction says about files and what is in them.

/// A record that was copied.
struct RecordMove {
    var from: Location
    var to: Location
}

/// Some files of a store.
struct FileSelection: Sendable {
    private let first: UInt32
    private var isMember: [Bool] = []
    private(set) var numbers: [FileNumber]

    init(_ numbers: some Sequence<FileNumber>) {
        self.numbers = numbers.sorted()
        first = self.numbers.first?.value ?? 0
        guard let last = self.numbers.last?.value else { return }
        isMember = Array(repeating: false, count: Int(last - first) + 1)
        for number in self.numbers { isMember[Int(number.value - first)] = true }
    }

    @inline(always)
    func contains(_ file: FileNumber) -> Bool {
        let place = Int(file.value) &- Int(first)
        return place >= 0 && place < isMember.count && isMember[place]
    }
}

/// Sums by file. What is added mostly falls to the file of the addition before.
struct FileTally {
    private(set) var sums: [(file: FileNumber, bytes: Int64)] = []
    private var places: [FileNumber: Int] = [:]
    private var last = 0

    @inline(always)
    mutating func add(_ file: FileNumber, _ bytes: Int64) {
        if last < sums.count, sums[last].file == file {
            sums[last].bytes &+= bytes
        } else {
            addElsewhere(file, bytes)
        }
    }

    @inline(never)
    private mutating func addElsewhere(_ file: FileNumber, _ bytes: Int64) {
        if let place = places[file] {
            last = place
            sums[place].bytes &+= bytes
        } else {
            last = sums.count
            places[file] = last
            sums.append((file, bytes))
        }
    }

    func sum(_ file: FileNumber) -> Int64 { places[file].map { sums[$0].bytes } ?? 0 }
}
