import StorageSimulation
import Testing

@testable import OfflineEngine

@Suite struct TreeCursorTests {
    @Test(arguments: KeyShape.allCases, [false, true])
    func `a cursor goes where the sorted array says`(_ shape: KeyShape, _ isPacked: Bool) throws {
        var random = SeededRandom(seed: 5)
        var fixture = TreeFixture()
        for step in 0..<1_200 { try fixture.insert(shape.key(&random, step), random.next()) }
        var file = MemoryFile(1, fixture.files)
        if isPacked {
            fixture.tree.root = try Tree.pack(
                fixture.tree.root, files: fixture.files, through: FileNumber(0), into: &file)
        }
        let model = fixture.model
        var cursor = fixture.tree.cursor()
        // Where the model's cursor stands; nil is nowhere.
        var place: Int?
        for step in 0..<800 {
            let note: Comment = "\(shape) step \(step)"
            let key =
                random.chance(1, in: 2)
                ? shape.key(&random, step) : model[random.below(model.count)].key
            let moved: Bool
            switch random.below(12) {
            case 0:
                moved = try cursor.seekToFirst()
                place = 0
            case 1:
                moved = try cursor.seekToLast()
                place = model.count - 1
            case 2:
                moved = try cursor.seek(key)
                place = fixture.place(key)
            case 3:
                moved = try cursor.seekBefore(key)
                place = fixture.place(key) - 1
            case 4:
                let position = random.below(model.count + 2) - 1
                moved = try cursor.seek(position: position)
                place = position
            case 5...8:
                moved = try cursor.next()
                place = place.map { $0 + 1 }
            default:
                moved = try cursor.previous()
                place = place.map { $0 - 1 }
            }
            if let there = place, !model.indices.contains(there) { place = nil }
            try #require(moved == (place != nil) && moved == cursor.isValid, note)
            guard let place else { continue }
            try #require(cursor.key == model[place].key, note)
            try #require(cursor.value == model[place].value, note)
            let order = unsafe key.withUnsafeBytes { unsafe cursor.compare(to: $0) }
            try #require((order < 0) == (ByteString(model[place].key) < ByteString(key)), note)
            try #require((order == 0) == (model[place].key == key), note)
        }
    }

    @Test(arguments: KeyShape.allCases)
    func `counts, ranks and positions are those of the sorted array`(_ shape: KeyShape) throws {
        var random = SeededRandom(seed: 6)
        var fixture = TreeFixture(valueWidth: 0)
        for step in 0..<1_500 { try fixture.insert(shape.key(&random, step), 0) }
        for step in 0..<400 { try fixture.remove(shape.key(&random, step)) }
        let (tree, model) = (fixture.tree, fixture.model)
        for step in 0..<150 {
            let (lower, upper) = (shape.key(&random, step), shape.key(&random, step * 7))
            let (first, end) = (fixture.place(lower), fixture.place(upper))
            #expect(try tree.rank(of: lower) == first)
            #expect(try tree.count(from: lower, to: upper) == max(0, end - first))
            #expect(try tree.count(from: nil, to: upper) == end)
            #expect(try tree.count(from: lower, to: nil) == model.count - first)
        }
        #expect(try tree.count(from: nil, to: nil) == model.count)
        for position in stride(from: 0, to: model.count, by: 31) {
            #expect(try tree.key(at: position) == model[position].key)
        }
        #expect(try tree.key(at: -1) == nil)
        #expect(try tree.key(at: model.count) == nil)
        #expect(try tree.key(at: .max) == nil)
    }

    @Test func `a cursor of an empty tree stands nowhere`() throws {
        let fixture = TreeFixture()
        var cursor = fixture.tree.cursor()
        #expect(!cursor.isValid)
        #expect(try !cursor.next() && !cursor.previous())
        #expect(try !cursor.seekToFirst() && !cursor.seekToLast())
        #expect(try !cursor.seek([]) && !cursor.seek([1]) && !cursor.seekBefore([1]))
        #expect(try !cursor.seek(position: 0))
        #expect(try fixture.tree.count(from: [1], to: [2]) == 0)
        #expect(try fixture.tree.value([]) == nil)
    }

    @Test func `a copied cursor moves alone`() throws {
        var fixture = TreeFixture()
        for number in 0..<1_000 { try fixture.insert(Array("\(number)".utf8), 0) }
        var first = fixture.tree.cursor()
        try first.seek(position: 500)
        var second = first
        for _ in 0..<300 { try second.next() }
        #expect(first.key == fixture.model[500].key)
        #expect(second.key == fixture.model[800].key)
    }

    @Test func `copying a key replaces what was there and the parts make the key`() throws {
        var fixture = TreeFixture()
        for number in 100..<200 { try fixture.insert(Array("user:\(number)".utf8), 0) }
        var cursor = fixture.tree.cursor()
        try cursor.seek(Array("user:150".utf8))
        var key = [UInt8](repeating: 1, count: 100)
        cursor.copyKey(into: &key)
        #expect(key == Array("user:150".utf8))
        #expect(unsafe Array(cursor.keyPrefix) + Array(cursor.keySuffix) == key)
    }
}
