// What a run found: figures by workload, store and repeat. This is what is saved; the table is made from it.

/// Microseconds an operation, one figure a repeat.
struct Samples: Codable {
    var wall: [Double] = []
    var processor: [Double] = []
}

struct WorkloadResults: Codable {
    let id: String
    let title: String
    /// By store; "flush" is the floor.
    var samples: [String: Samples] = [:]
}

/// Bytes that a store's folder takes of the disk, by repeat.
struct DiskUse: Codable {
    let title: String
    var bytes: [String: [Int]] = [:]
}

struct Results: Codable {
    var machine: [String: String] = [:]
    let count: Int
    let repeats: Int
    let scale: Double
    let seed: UInt64
    let documentBytes: Int
    /// In the order of the report; the first is the store.
    let stores: [String]
    var workloads: [WorkloadResults] = []
    var disk: [DiskUse] = []

    mutating func add(_ workload: Workload, _ store: String, wall: Double, processor: Double) {
        let position =
            workloads.firstIndex { $0.id == workload.id }
            ?? {
                workloads.append(WorkloadResults(id: workload.id, title: workload.title))
                return workloads.count - 1
            }()
        workloads[position].samples[store, default: Samples()].wall.append(wall)
        workloads[position].samples[store, default: Samples()].processor.append(processor)
    }

    mutating func add(disk title: String, _ store: String, _ bytes: Int) {
        let position =
            disk.firstIndex { $0.title == title }
            ?? {
                disk.append(DiskUse(title: title))
                return disk.count - 1
            }()
        disk[position].bytes[store, default: []].append(bytes)
    }
}

extension [Double] {
    var median: Double {
        guard !isEmpty else { return .nan }
        let ordered = sorted()
        let middle = ordered.count / 2
        return ordered.count % 2 == 1
            ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2
    }

    /// Half the distance between the least and the greatest, as a part of the median.
    var spread: Double {
        guard let least = self.min(), let greatest = self.max(), median > 0 else { return 0 }
        return (greatest - least) / 2 / median
    }

    /// The median of the quotients, repeat by repeat: both sides of each met the same machine.
    func ratio(to other: [Double]) -> Double { zip(self, other).map { $0 / $1 }.median }
}
