/// Epochs: how they end, and how the next one begins.
extension ConsumerStateMachine {
    /// Ends the epoch: everything that is in memory and not recorded is decided again in the next one, in order.
    mutating func need(_ needed: EpochReason) {
        if case .doubtful = needed.memory { reading.distrustMemory() }
        switch phase {
        case .active: phase = .closing(needed)
        case .closing:
            // The next epoch, which is already coming, resolves everything else.
            if case .miscount = needed.cause { phase = .closing(needed) }
        case .opening, .finished: break
        }
    }

    /// Opens the epoch once work in progress has ended. A decision that the gate is making is awaited and discarded; a
    /// batch that is being recorded may finish: the answer shows whether it is recorded.
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
        // It may be ahead of what we know to be recorded: the answer to a commit may have been lost.
        assert(epoch.seq >= recordedSeq, "the ledger has lost what it had recorded")
        self.epoch = epoch
        (seq, recordedSeq) = (epoch.seq, epoch.seq)
        announcing.restart(announced: epoch.announced, recorded: epoch.position)
        phase = .active
        totals.epochs += 1
        // The installation hides what Redis may have lost before it: what is pending is asked again before the end.
        reading.goOn()
        if !epoch.changedProducts.isEmpty { actions.append(.announceCatalogue(epoch.catalogueChange)) }
    }
}
