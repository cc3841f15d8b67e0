// The documents and the questions of a run. All of it follows from the seed.

/// `count` people, and as many more as commits add. Nobody is kept: each is made anew from its number.
struct Dataset: Sendable {
    let count: Int
    let seed: UInt64

    static let roles = [
        "admin", "author", "editor", "guest", "member", "moderator", "owner", "reviewer",
    ]

    /// Keys come in random order, as they do from other devices and from hashes: the hard case for ordered trees.
    func key(_ number: Int) -> String {
        let bits = SeededGenerator.mixed(seed &+ UInt64(number))
        let digits = String(bits, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    func person(_ number: Int) -> Person {
        var random = SeededGenerator(seed: seed ^ (UInt64(number) &* 0xD6E8_FEB8_6659_FD93))
        let first = pick(Dataset.firstNames, &random)
        let last = pick(Dataset.lastNames, &random)
        let words = (0..<24).map { _ in pick(Dataset.words, &random) }
        return Person(
            id: key(number),
            name: "\(first) \(last)",
            email: "\(first).\(last).\(number)@example.org".lowercased(),
            role: pick(Dataset.roles, &random),
            age: Int.random(in: 18...80, using: &random),
            score: Double.random(in: 0..<1000, using: &random),
            active: Bool.random(using: &random),
            city: pick(Dataset.cities, &random),
            createdAt: Dataset.firstDay + Int.random(in: 0..<Dataset.period, using: &random),
            bio: words.joined(separator: " "))
    }

    /// Numbers of people that a bulk insert stored, each as likely, for one slice of a workload.
    func numbers(_ amount: Int, workload: String, slice: Int) -> [Int] {
        var random = generator(workload: workload, slice: slice)
        return (0..<amount).map { _ in Int.random(in: 0..<count, using: &random) }
    }

    func generator(workload: String, slice: Int) -> SeededGenerator {
        var state = seed &+ UInt64(slice)
        for byte in workload.utf8 { state = SeededGenerator.mixed(state ^ UInt64(byte)) }
        return SeededGenerator(seed: state)
    }

    private func pick(_ list: [String], _ random: inout SeededGenerator) -> String {
        list[Int.random(in: 0..<list.count, using: &random)]
    }
}

extension Dataset {
    /// 2020-01-01, in milliseconds since 1970.
    static let firstDay = 1_577_836_800_000
    /// Five years of milliseconds: what `createdAt` is spread over.
    static let period = 5 * 365 * 86_400_000

    private static let firstNames = [
        "Aino", "Amara", "Bjarne", "Carmen", "Chiara", "Dmitri", "Eleni", "Farid", "Greta", "Hana",
        "Ibrahim", "Joana", "Kenji", "Leila", "Mateo", "Nadia", "Oskar", "Priya", "Quentin", "Rosa",
        "Samir", "Tove", "Ulrich", "Vera", "Wanda", "Xavier", "Yusuf", "Zofia",
    ]
    private static let lastNames = [
        "Abe", "Alvarez", "Bauer", "Brandt", "Castro", "Dubois", "Eriksen", "Fischer", "Garcia",
        "Haddad", "Ivanova", "Jansen", "Kowalski", "Lindgren", "Moreau", "Nakamura", "Okafor",
        "Pereira", "Quiroga", "Rossi", "Schmidt", "Tanaka", "Ueda", "Virtanen", "Weber", "Yilmaz",
    ]
    private static let cities = [
        "Accra", "Bergen", "Bogota", "Cairo", "Dakar", "Gdansk", "Hanoi", "Izmir", "Kyoto",
        "Lisboa",
        "Lyon", "Malmo", "Montevideo", "Nairobi", "Porto", "Quito", "Riga", "Tampere", "Utrecht",
        "Zagreb",
    ]
    private static let words = [
        "about", "after", "books", "builds", "climbs", "draws", "engines", "garden", "gives",
        "green",
        "hills", "likes", "makes", "maps", "music", "often", "paints", "plays", "rivers", "sails",
        "small", "stone", "tests", "trains", "walks", "water", "winter", "writes",
    ]
}
