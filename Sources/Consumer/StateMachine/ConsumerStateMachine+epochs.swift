/// Ends epochs, and opens the next ones.
extension ConsumerStateMachine {
    /// Starts to end the epoch. Everything in memory that is not recorded is decided again in the next epoch, in order.
    mutating func need(_ needed: EpochReason) {
        if case .doubtful = needed.memory { reading.distrustMemory() }
        switch phase {
        case .active: phase = .closing(needed)
        case .closing:
            // The next epoch, which is already due, resolves every other cause.
            if case .miscount = needed.cause { phase = .closing(needed) }
        case .opening, .finished: break
        }
    }

    /// Opens the epoch once work in progress has ended. A decision that the gate is making is awaited and discarded. A
    /// batch that is being recorded may finish; the result shows whether it is recorded.
    mutating func openEpochIfClosed() {
        guard case .closing(let needed) = phase, case .idle = recording else { return }
        switch deciding {
        case .inProgress: return
        case .done(let batch): queue.putBack(batch.entries)
        case .idle, .blocked: break
        }
        deciding = .idle
        switch needed.cause {
        case .outage: break
        case .batch, .miscount: epochsWithoutProgress += 1
        }
        guard epochsWithoutProgress <= ConsumerSettings.epochsWithoutProgress else {
            phase = .finished
            return actions.append(.giveUp(needed))
        }
        phase = .opening
        actions.append(
            .openEpoch(
                EpochRequest(
                    needed: needed, catalogueBefore: epoch.catalogue.version, epochsInARow: epochsInARow)))
        epochsInARow += 1
    }

    mutating func opened(_ epoch: Epoch) {
        guard case .opening = phase else { return assertionFailure("an epoch was opened without a request") }
        assert(epoch.number > self.epoch.number, "epochs only rise")
        // The ledger may have recorded more than this process knows: the result of a commit may have been lost.
        assert(epoch.seq >= recordedSeq, "the ledger has lost what it had recorded")
        self.epoch = epoch
        (seq, recordedSeq) = (epoch.seq, epoch.seq)
        announcing.restart(announced: epoch.announced, recorded: epoch.position)
        phase = .active
        totals.epochs += 1
        // The installation hides earlier data losses in Redis, so pending entries are checked again before the end.
        reading.resume()
        if !epoch.changedProducts.isEmpty { actions.append(.announceCatalogue(epoch.catalogueChange)) }
    }
}
