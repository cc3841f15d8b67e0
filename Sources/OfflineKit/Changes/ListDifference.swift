// From one list of records to another, in few steps: what is gone is removed, from the end on; what stays but in another
// order is moved, as few of it as possible (all but a longest part that is in order already); what is new is inserted, from
// the beginning on; and what has changed is updated in its final place.
//
// Equal beginnings and ends are left aside, so the work is that of the part in between: n log n, and for each move a pass over
// what stays. Where that would take long, what moves is removed and inserted instead.
internal import OfflineBytes
import OfflineDocuments

/// Finds the steps between two lists.
struct ListDifference {
    /// How many passes over how many elements moves may take.
    private static let moveWorkMax = 1 << 22

    private let old: [LiveEntry]
    private let new: [LiveEntry]
    private var changes: [ResultChange] = []

    /// The steps that make `new` of `old`. A key is in a list once.
    static func changes(from old: [LiveEntry], to new: [LiveEntry]) -> [ResultChange] {
        var difference = ListDifference(old: old, new: new)
        difference.find()
        return difference.changes
    }

    private init(old: [LiveEntry], new: [LiveEntry]) {
        self.old = old
        self.new = new
    }

    private mutating func find() {
        let limit = min(old.count, new.count)
        var prefix = 0
        while prefix < limit, old[prefix].key == new[prefix].key { prefix += 1 }
        var suffix = 0
        while suffix < limit - prefix,
            old[old.count - 1 - suffix].key == new[new.count - 1 - suffix].key
        {
            suffix += 1
        }
        let oldMiddle = prefix..<(old.count - suffix)
        let newMiddle = prefix..<(new.count - suffix)

        var places: [[UInt8]: Int] = [:]
        for index in newMiddle { places[new[index].key] = index }
        // Where the old elements that stay will be, in their old order.
        var kept = oldMiddle.compactMap { places[old[$0].key] }
        let inOrder = Set(Self.longestAscending(kept))
        var reinserted: Set<Int> = []
        if kept.count - inOrder.count > Self.moveWorkMax / max(1, kept.count) {
            reinserted = Set(kept).subtracting(inOrder)
            kept.removeAll { !inOrder.contains($0) }
        }

        /// The old elements, by their places in the new list.
        var origins: [Int: Int] = [:]
        for index in oldMiddle.reversed() {
            if let place = places[old[index].key], !reinserted.contains(place) {
                origins[place] = index
            } else {
                changes.append(.remove(old[index].document, at: index))
            }
        }
        move(&kept, except: inOrder, offset: prefix)
        for index in newMiddle where origins[index] == nil {
            changes.append(.insert(new[index].document, at: index))
        }
        for index in new.indices {
            let origin: Int? =
                index < prefix
                ? index
                : index < newMiddle.upperBound
                    ? origins[index] : index - new.count + old.count
            if let origin, old[origin].document != new[index].document {
                changes.append(.update(new[index].document, at: index))
            }
        }
    }

    /// Moves what isn't in order, one after another, behind what is before it in the new list.
    private mutating func move(_ list: inout [Int], except inOrder: Set<Int>, offset: Int) {
        var settled = inOrder
        for element in list.sorted() where !inOrder.contains(element) {
            guard let from = list.firstIndex(of: element) else { continue }
            list.remove(at: from)
            let to = list.firstIndex { $0 > element && settled.contains($0) } ?? list.count
            list.insert(element, at: to)
            settled.insert(element)
            // Elements that still have to leave may be between it and where it was.
            if from != to {
                changes.append(
                    .move(new[element].document, from: from + offset, to: to + offset))
            }
        }
    }

    /// A longest ascending part of distinct numbers.
    static func longestAscending(_ numbers: [Int]) -> [Int] {
        // For each length, where the part of that length ends that ends with the least number.
        var ends: [Int] = []
        var previous = [Int](repeating: -1, count: numbers.count)
        for (index, number) in numbers.enumerated() {
            var low = 0
            var high = ends.count
            while low < high {
                let middle = (low + high) / 2
                if numbers[ends[middle]] < number { low = middle + 1 } else { high = middle }
            }
            if low > 0 { previous[index] = ends[low - 1] }
            if low == ends.count { ends.append(index) } else { ends[low] = index }
        }
        var result: [Int] = []
        var index = ends.last ?? -1
        while index >= 0 {
            result.append(numbers[index])
            index = previous[index]
        }
        return result.reversed()
    }
}
