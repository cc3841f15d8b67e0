// Types of every shape that Codable can give them.
import Foundation

struct Empty: Codable, Equatable {}

struct Inner: Codable, Equatable {
    var name: String
    var score: Double?
}

struct Scalars: Codable, Equatable {
    var bool = true
    var int8: Int8 = .min
    var int16: Int16 = .max
    var int32: Int32 = .min
    var int64: Int64 = .max
    var int: Int = -1
    var uint8: UInt8 = .max
    var uint16: UInt16 = .max
    var uint32: UInt32 = .max
    var uint: UInt = 7
    var float: Float = 0.1
    var double = 0.1
    var string = "é\0"
}

struct FoundationTypes: Codable, Equatable {
    var date = Date(timeIntervalSinceReferenceDate: 0.1)
    var data = Data([0, 1])
    var uuid = UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xAB))
    var url = URL(filePath: "/a/b c")
    var decimal = Decimal(string: "19.99") ?? 0
    var duration = Duration.seconds(30)
    var range = 1..<5
    var set: Set<Int> = [3]
    var components = DateComponents(year: 2024, month: 2)
}

enum Shape: Codable, Equatable {
    case point
    case circle(radius: Double)
    case box(Int, Int)
}

enum Color: String, Codable, Equatable, CodingKeyRepresentable {
    case red, green
}

struct Nested: Codable, Equatable {
    var inner = Inner(name: "a", score: 1)
    var list = [Inner(name: "b", score: nil)]
    var matrix = [[1, 2], [], [3]]
    var byName = ["x": Inner(name: "c", score: .infinity), "": Inner(name: "", score: 0)]
    var byNumber = [1: "one", -2: "two"]
    var byColor: [Color: Int] = [.red: 1]
    var byPair: [[Int]: String] = [[1, 2]: "pair"]
    var empty = Empty()
    var shapes: [Shape] = [.point, .circle(radius: 2), .box(1, 2)]
    var color: Color? = .green
    var optionals: [Int?] = [1, nil, 3]
}

class Animal: Codable {
    var name: String

    init(name: String) { self.name = name }

    private enum Keys: CodingKey { case name }

    required init(from decoder: any Decoder) throws {
        name = try decoder.container(keyedBy: Keys.self).decode(String.self, forKey: .name)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(name, forKey: .name)
    }
}

/// Shares its superclass's container.
final class Dog: Animal {
    var tricks: [String]

    init(name: String, tricks: [String]) {
        self.tricks = tricks
        super.init(name: name)
    }

    private enum Keys: CodingKey { case tricks }

    required init(from decoder: any Decoder) throws {
        tricks = try decoder.container(keyedBy: Keys.self).decode([String].self, forKey: .tricks)
        try super.init(from: decoder)
    }

    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(tricks, forKey: .tricks)
        try super.encode(to: encoder)
    }
}

/// Has its superclass's fields under "super".
final class Cat: Animal {
    var lives: Int

    init(name: String, lives: Int) {
        self.lives = lives
        super.init(name: name)
    }

    private enum Keys: CodingKey { case lives }

    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        lives = try container.decode(Int.self, forKey: .lives)
        try super.init(from: container.superDecoder())
    }

    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try super.encode(to: container.superEncoder())
        try container.encode(lives, forKey: .lives)
    }
}

/// Writes into containers within its container, and reads them by hand.
struct ByHand: Codable, Equatable {
    var x = 1
    var y = 2
    var rest = ["a", "b"]

    enum Keys: CodingKey { case point, list, absent }
    enum PointKeys: CodingKey { case x, y }

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let point = try container.nestedContainer(keyedBy: PointKeys.self, forKey: .point)
        x = try point.decode(Int.self, forKey: .x)
        y = try point.decode(Int.self, forKey: .y)
        var list = try container.nestedUnkeyedContainer(forKey: .list)
        guard try list.decodeNil() else { return }
        var inner = try list.nestedUnkeyedContainer()
        rest = []
        while try !inner.isAtEnd && !inner.decodeNil() {
            rest.append(try inner.decode(String.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        var list = container.nestedUnkeyedContainer(forKey: .list)
        var point = container.nestedContainer(keyedBy: PointKeys.self, forKey: .point)
        try point.encode(x, forKey: .x)
        try list.encodeNil()
        var inner = list.nestedUnkeyedContainer()
        for text in rest { try inner.encode(text) }
        // The same container once more.
        var again = container.nestedContainer(keyedBy: PointKeys.self, forKey: .point)
        try again.encode(y, forKey: .y)
    }
}
