// What a failing disk does: errors that say so, nothing half done, nothing lost that was acknowledged.
import OfflineBytes
import OfflineEngine
import StorageSimulation
import Testing

struct EngineFailureTests {
    private let step = EngineStep.put(1, key: Array("a".utf8), record: [9, 9, 9])

    private func error(_ body: () throws -> Void) -> EngineError? {
        do {
            try body()
            return nil
        } catch { return error as? EngineError }
    }

    @Test func `a transaction that memory doesn't suffice for is refused, and others go on`() throws
    {
        var options = EngineHarness.smallOptions
        options.nodeBytesMax = 2 << 20
        options.stagedTransactionBytes = 64 << 20
        options.logFileBytesMin = 64 << 20
        let system = SimulatedFileSystem()
        var harness = try EngineHarness(system, options: options)
        try harness.commit([step])
        for round in UInt8(0)..<3 {
            let failure = error {
                let transaction = try harness.begin()
                defer { transaction.rollback() }
                for number in UInt32(0)..<100_000 {
                    var key: [UInt8] = []
                    key.appendBig(number)
                    try EngineHarness.apply(.put(1, key: key, record: key), to: transaction)
                }
            }
            #expect(failure?.code == .outOfMemory)
            try harness.commit([.put(2, key: [round], record: [3, round])])
            try harness.check("round \(round)")
        }
        try harness.engine.close()
        try harness.reopen()
        try harness.check("reopened")
    }

    @Test func `a failed sync is an unknown outcome, and the store is read-only until reopened`()
        throws
    {
        let system = SimulatedFileSystem()
        // The fault is for the commit's sync: none in the background may come before it.
        var harness = try EngineHarness(system, options: EngineHarness.steadyOptions)
        try harness.commit([step])
        let published = try EngineHarness.contents(harness.engine.stateNow)
        system.inject(
            Fault(
                [.sync], path: ".log", error: SystemErrorNumber.inputOutput, effect: .dropsPending)
        )
        let failure = error { try harness.commit([.put(1, key: [1], record: [2])]) }
        #expect(failure?.code == .outcomeUnknown)
        system.removeFaults()
        #expect(try EngineHarness.contents(harness.engine.stateNow) == published)
        #expect(error { _ = try harness.begin() }?.code == .readOnly)
        try harness.engine.close()
        try harness.reopen()
        let found = try EngineHarness.contents(harness.engine.stateNow)
        var other = published
        other.apply([.put(1, key: [1], record: [2])])
        #expect(found == published || found == other)
        try harness.commit([.put(2, key: [3], record: [4])])
    }

    @Test
    func `a full disk refuses the commit without a trace and takes the next once there is room`()
        throws
    {
        let system = SimulatedFileSystem()
        var harness = try EngineHarness(system)
        try harness.commit([step])
        system.setCapacity(system.usedBytes)
        var refused = 0
        var random = SeededRandom(seed: 7)
        for index in 0..<40 {
            let before = harness.model
            let steps = [EngineStep.put(2, key: [UInt8(index)], record: random.bytes(2_000))]
            if let failure = error({ try harness.commit(steps) }) {
                #expect(failure.code == .storageFull)
                refused += 1
                #expect(harness.model == before)
                let found = try EngineHarness.contents(harness.engine.stateNow)
                #expect(found == before.withAll(EngineHarness.collections))
            }
        }
        #expect(refused > 0)
        system.setCapacity(nil)
        try harness.commit([.put(2, key: [200], record: [1])])
        try harness.check("after there was room again")
        try harness.engine.close()
        try harness.reopen()
        try harness.check("reopened")
    }

    @Test func `a full disk at any write of the log loses nothing that is acknowledged later`()
        throws
    {
        var call = 1
        while true {
            let system = SimulatedFileSystem()
            var harness = try EngineHarness(system)
            system.inject(
                Fault(
                    [.write], path: ".log", first: call, error: SystemErrorNumber.noSpace,
                    effect: .prefix(call % 700)))
            var random = SeededRandom(seed: UInt64(call))
            for _ in 0..<12 {
                let steps = random.engineSteps(atMost: 8)
                if let failure = error({ try harness.commit(steps) }) {
                    #expect(failure.code == .storageFull, "write \(call)")
                    try harness.commit(steps)
                }
            }
            let fired = system.firedFaultCount
            system.removeFaults()
            let image = system.crashedKeepingNothing()
            let again = try EngineHarness.open(image, EngineHarness.smallOptions)
            #expect(
                try EngineHarness.contents(again.stateNow)
                    == harness.model.withAll(EngineHarness.collections), "write \(call)")
            try again.close()
            try harness.engine.close()
            if fired == 0 { break }
            call += 1
        }
        #expect(call > 10)
    }

    @Test func `a log file that a clean close cut short is no damage, whatever happens next`()
        throws
    {
        let system = SimulatedFileSystem()
        var options = EngineHarness.smallOptions
        options.logFileBytesMin = 4 << 20
        var harness = try EngineHarness(system, options: options)
        try harness.commit([step])
        try harness.engine.close()
        try harness.reopen()
        // A schema change moves the superblock and not the log.
        try harness.define()
        harness.system = system.crashedKeepingNothing()
        try harness.reopen()
        try harness.check("after a power cut")
        try harness.engine.close()
    }

    @Test func `what a killed writer left un-synced is durable once the next one acknowledges`()
        throws
    {
        var options = EngineHarness.smallOptions
        options.durability = .relaxed
        var harness = try EngineHarness(SimulatedFileSystem(), options: options)
        var random = SeededRandom(seed: 31)
        for _ in 0..<10 { try harness.commit(random.engineSteps(atMost: 60)) }
        harness.system = harness.system.killed()
        harness.options.durability = .full
        try harness.reopen()
        try harness.commit([step])
        let image = harness.system.crashedKeepingNothing()
        let again = try EngineHarness.open(image, harness.options)
        #expect(
            try EngineHarness.contents(again.stateNow)
                == harness.model.withAll(EngineHarness.collections))
    }

    @Test func `a record may be put and removed in one transaction of any size`() throws {
        var harness = try EngineHarness(SimulatedFileSystem())
        var random = SeededRandom(seed: 32)
        var steps: [EngineStep] = []
        for index in 0..<400 {
            let key = [UInt8(index % 251), UInt8(index / 251)]
            steps.append(.put(1, key: key, record: random.bytes(100)))
            steps.append(.remove(1, key: key))
        }
        try harness.commit(steps)
        try harness.check("after the transaction")
        try harness.engine.close()
    }

    @Test func `a store on a full disk closes, and opens with everything`() throws {
        let system = SimulatedFileSystem()
        var harness = try EngineHarness(system)
        try harness.commit([step])
        system.setCapacity(system.usedBytes)
        try harness.engine.close()
        try harness.reopen()
        try harness.check("opened on a full disk")
    }

    @Test func `a second writer is refused until the first has closed`() throws {
        let system = SimulatedFileSystem()
        let harness = try EngineHarness(system)
        #expect(error { _ = try EngineHarness.open(system, harness.options) }?.code == .locked)
        try harness.engine.close()
        try EngineHarness.open(system, harness.options).close()
    }

    @Test
    func
        `a reader opens beside a writer, keeps its view, and sees the new state when opened again`()
        throws
    {
        let system = SimulatedFileSystem()
        var harness = try EngineHarness(system)
        try harness.commit([step])
        var options = EngineHarness.smallOptions
        options.isReadOnly = true
        let reader = try EngineHarness.open(system, options)
        let before = harness.model.withAll(EngineHarness.collections)
        for index in 0..<200 {
            try harness.commit([.put(2, key: [UInt8(index)], record: [1, 2, 3])])
            if index == 100 { try harness.engine.checkpoint() }
        }
        #expect(try EngineHarness.contents(reader.stateNow) == before)
        let again = try EngineHarness.open(system, options)
        let after = harness.model.withAll(EngineHarness.collections)
        #expect(try EngineHarness.contents(again.stateNow) == after)
        #expect(error { _ = try reader.begin([1]) }?.code == .readOnly)
    }

    @Test func `a path that is a file, a link, or isn't there is an error of its own`() throws {
        let system = SimulatedFileSystem()
        let file = try system.open("/file", .create)
        file.close()
        try system.addSymbolicLink("/link")
        var readOnly = EngineOptions()
        readOnly.isReadOnly = true
        func code(_ folder: String, _ options: EngineOptions = EngineOptions()) -> EngineError.Code?
        {
            error {
                _ = try Engine.open(
                    system, folder: folder, options: options, derivation: TestDerivation())
            }?.code
        }
        #expect(code("/file") == .unavailable)
        #expect(code("/link") == .permissionDenied)
        #expect(code("/missing/store") == .unavailable)
        #expect(code("/missing", readOnly) == .unavailable)
        #expect(try system.information("/missing") == nil)
    }

    /// The k-th call fails, once or from then on, for every k of a workload that ends files, stages and checkpoints.
    @Test(arguments: [
        (SystemErrorNumber.inputOutput, false), (SystemErrorNumber.inputOutput, true),
        (SystemErrorNumber.noSpace, false), (SystemErrorNumber.noSpace, true),
    ])
    func `whichever call fails, the store opens again with what was acknowledged`(
        number: Int32, isSticky: Bool
    ) throws {
        var call = 1
        let stride = TestEnvironment.integer("OFFLINE_FAULT_STRIDE", default: 5)
        while true {
            let system = SimulatedFileSystem()
            system.inject(
                Fault(
                    .mutating.union([.read, .open, .list, .information, .map]), first: call,
                    isSticky: isSticky, error: number))
            var models = [EngineModel()]
            var acknowledged = 0
            var random = SeededRandom(seed: UInt64(call))
            do {
                var harness = try EngineHarness(system)
                for index in 0..<12 {
                    let steps = random.engineSteps(atMost: index % 5 == 4 ? 60 : 4)
                    var next = models[acknowledged]
                    next.apply(steps)
                    models.append(next)
                    try harness.commit(steps)
                    acknowledged = models.count - 1
                    if index % 4 == 3 { try harness.engine.checkpoint() }
                }
                try harness.engine.close()
            } catch let error as EngineError {
                #expect(error.code != .corrupted, "call \(call): \(error)")
            }
            let fired = system.firedFaultCount
            system.removeFaults()
            let context = "call \(call), errno \(number), sticky \(isSticky)"
            let found = try EngineHarness(system.killed())
            let contents = try EngineHarness.contents(found.engine.stateNow)
            let allowed = models[acknowledged...].map { $0.withAll(EngineHarness.collections) }
            #expect(allowed.contains(contents), "\(context)")
            #expect(try found.engine.verify().findings == [], "\(context)")
            if fired == 0 { break }
            call += 1 + random.below(2 * stride)
        }
        #expect(call > 50)
    }
}
