use super::*;

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_seconds(1_000).plus(Duration::from_secs(seconds))
}

fn health(standing: Standing) -> Health {
    Health { standing, checked: at(0), ..Health::default() }
}

#[test]
fn a_record_reads_back() {
    for standing in
        [Standing::Unknown, Standing::Well, Standing::Unavailable, Standing::Misconfigured]
    {
        let health = Health {
            standing,
            offset: ClockOffset::from_seconds(-412),
            checked: UnixTime::from_millis(1_700_000_000_123),
            unreached: UnixTime::from_millis(1_700_000_000_001),
            heard: UnixTime::from_millis(1_600_000_000_777),
            busy: UnixTime::from_millis(1_700_000_001_999),
            breaker: Breaker::default(),
        };
        assert_eq!(Health::decode(&health.encode()), Some(health));
        assert_eq!(health.encode().len(), RECORD);
    }
}

#[test]
fn a_record_of_another_layout_is_not_read() {
    let record = Health::default().encode();
    for end in 0..record.len() {
        assert_eq!(Health::decode(&record[..end]), None);
    }
    let mut longer = record.clone();
    longer.push(0);
    assert_eq!(Health::decode(&longer), None);
    for (place, byte) in [(0, 1), (1, 4)] {
        let mut odd = record.clone();
        odd[place] = byte;
        assert_eq!(Health::decode(&odd), None);
    }
}

#[test]
fn a_check_that_failed_is_due_again_soon() {
    let interval = Duration::from_secs(60);
    assert!(Health::default().is_due(at(0), interval));
    assert!(!health(Standing::Well).is_due(at(59), interval));
    assert!(health(Standing::Well).is_due(at(60), interval));
    assert!(!health(Standing::Misconfigured).is_due(at(4), interval));
    assert!(health(Standing::Unavailable).is_due(at(5), interval));
    assert!(health(Standing::Unavailable).is_due(at(2), Duration::from_secs(2)));
}

#[test]
fn a_check_of_the_future_is_due_again() {
    // The host's clock was set back after the check.
    let checked = UnixTime::from_seconds(90_000);
    let health = Health { standing: Standing::Well, checked, ..Health::default() };
    let interval = Duration::from_secs(60);
    assert!(!health.is_due(UnixTime::from_seconds(89_970), interval));
    assert!(health.is_due(UnixTime::from_seconds(3_600), interval));
}

#[test]
fn a_request_that_cannot_reach_duo_has_the_check_begin_at_once_but_once_a_second() {
    let well = health(Standing::Well);
    let interval = Duration::from_secs(60);
    assert_eq!(well.after_contact(Contact::Unreached, UnixTime::from_millis(1_000_999)), None);
    let doubted = well.after_contact(Contact::Unreached, at(1)).expect("a change");
    assert!(doubted.is_due(at(1), interval));
    assert_eq!(doubted.after_contact(Contact::Unreached, at(1)), None, "it is due as it is");
    assert_eq!(well.after_contact(Contact::Unclear, at(30)), None);
}

#[test]
fn workers_count_as_occupied_for_three_seconds() {
    let idle = health(Standing::Well);
    assert!(!idle.is_occupied(at(5)));
    let busy = idle.occupied(at(5)).expect("a change");
    assert_eq!(busy.occupied(at(5)), None, "once a second is enough");
    assert!(busy.is_occupied(at(5)) && busy.is_occupied(at(7)));
    assert!(!busy.is_occupied(at(8)));
}

#[test]
fn an_answer_to_a_request_outweighs_a_check_of_the_same_moment() {
    let unreached = |heard| {
        Health { unreached: at(5), heard, ..health(Standing::Unavailable) }.unreached_since()
    };
    assert_eq!(unreached(at(4)), Some(at(5)));
    assert_eq!(unreached(at(5)), None);
    assert_eq!(unreached(at(6)), None);
}
