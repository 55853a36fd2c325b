/// Epochs: how they end, and how the next one begins.
extension ConsumerStateMachine {
    /// Ends the epoch: everything that is in memory and not recorded is decided again in the next one, in order.
    mutating func need(_ needed: EpochNeeded) {
        if case .doubtful = needed.memory { reading.distrustMemory() }
        switch phase {
        case .active: phase = .closing(needed)
        // The epoch that is coming is the answer to this, too.
        case .closing, .opening, .finished: break
        }
    }

    /// Once what is under way has ended. What the gate is deciding is waited for and forgotten; what is being recorded
    /// is let through: its answer says whether it is recorded.
    mutating func openEpochIfClosed() {
        guard case .closing(let needed) = phase, case .idle = recording else { return }
        switch deciding {
        case .underWay: return
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
        guard case .opening = phase else { return assertionFailure("an epoch was opened without being asked for") }
        assert(epoch.number > self.epoch.number, "epochs only rise")
        // Further than what was recorded is possible: a commit whose answer was lost.
        assert(epoch.seq >= recordedSeq, "the ledger has lost what it had recorded")
        self.epoch = epoch
        (seq, recordedSeq) = (epoch.seq, epoch.seq)
        phase = .active
        totals.epochs += 1
        if !epoch.changedProducts.isEmpty { actions.append(.announceCatalogue(epoch.catalogueChange)) }
    }
}
