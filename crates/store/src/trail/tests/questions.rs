//! Answers are the same wherever they are looked for.

use super::*;

/// The memory store is the model.
#[tokio::test]
async fn every_question_has_the_same_answer_with_an_index_and_without() {
    let place = Place::new();
    let (trail, model) = (place.open(), MemoryStore::new());
    let random: &dyn Random = &SeededRandom::new(7);
    let pick = |of: usize| usize::from(random.bytes::<1>()[0]) % of;
    let id = |number: usize| IdentityId::parse(format!("us-east-1:0{number}")).unwrap();
    let access_key = |number: usize| AccessKeyId::parse(format!("AKIA000000000000000{number}")).unwrap();
    let mut requests = Vec::new();
    for second in 0..200 {
        let event = AuditEvent {
            developer_user_identifier: (pick(2) == 0).then(|| format!("\"ünï\" {}", pick(5))),
            identity_id: (pick(2) == 0).then(|| id(pick(5))),
            access_key_id: (pick(3) == 0).then(|| access_key(pick(5))),
            source_ip: (pick(2) == 0).then(|| format!("203.0.113.{}", pick(5)).parse().unwrap()),
            provider: (pick(2) == 0).then(|| format!("provider {}", pick(3))),
            action: if pick(2) == 0 { AuditAction::Token } else { AuditAction::Exchange },
            outcome: if pick(9) == 0 { AuditOutcome::Refused } else { AuditOutcome::Allowed },
            ..place.event(second * 600)
        };
        requests.push(event.request_id.clone());
        trail.add(std::slice::from_ref(&event)).await.unwrap();
        model.add_audit_event(&event).await.unwrap();
    }
    let abouts = (0..5).flat_map(|number| {
        let user = AuditSubject::DeveloperUser(format!("\"ünï\" {number}"));
        [AuditSubject::Identity(id(number)), AuditSubject::AccessKey(access_key(number)), user]
    });
    let abouts = abouts.chain(requests.into_iter().step_by(41).map(AuditSubject::Request));
    let questions: Vec<AuditQuestion> = abouts
        .map(AuditQuestion::about)
        .chain((0..5).map(|number| AuditQuestion {
            address: format!("203.0.113.{number}").parse().ok(),
            action: Some(AuditAction::Token),
            ..AuditQuestion::default()
        }))
        .chain((0..8).map(|number| AuditQuestion {
            since: Timestamp::from_second(number * 10_000).ok(),
            until: Timestamp::from_second(number * 10_000 + 25_000).ok(),
            provider: (number % 2 == 0).then(|| "provider 1".into()),
            ..AuditQuestion::default()
        }))
        .chain(
            [AuditOutcome::Allowed, AuditOutcome::Refused]
                .map(|outcome| AuditQuestion { outcome: Some(outcome), ..AuditQuestion::default() }),
        )
        .chain([AuditQuestion::default()])
        .collect();
    drop(trail);
    let (trail, folder) = (place.open(), Folder::at(&place.path()));
    let files = folder.files().unwrap();
    assert!(files.len() > 10);
    for file in &files {
        drop(fs::remove_file(file.index()));
    }
    for indexed in [false, true] {
        if indexed {
            index::make_missing(&folder).unwrap();
        }
        let indexes = folder.files().unwrap().iter().filter(|file| file.index().exists()).count();
        assert_eq!(indexes, if indexed { folder.files().unwrap().len() - 1 } else { 0 });
        for question in &questions {
            for limit in [13, 1_000] {
                assert_same_pages(&trail, &model, question, limit).await;
            }
        }
    }
    // An index that says nothing true costs time alone.
    for file in folder.files().unwrap() {
        let _ = fs::write(file.index(), vec![0; 20_000]);
    }
    for question in &questions {
        assert_same_pages(&trail, &model, question, 1_000).await;
    }
}

/// Page by page. Positions are the model's own.
async fn assert_same_pages(trail: &Trail, model: &MemoryStore, question: &AuditQuestion, limit: usize) {
    let (mut ours, mut theirs): (Option<EventPosition>, Option<EventPosition>) = (None, None);
    loop {
        let found = trail.page(question, Page { after: ours, limit }).await.unwrap();
        let expected = model.page_audit_events(question, Page { after: theirs, limit }).await.unwrap();
        assert!(
            found.iter().map(|kept| &kept.event).eq(expected.iter().map(|kept| &kept.event)),
            "{question:?}, {limit}"
        );
        if found.is_empty() {
            return;
        }
        ours = found.last().map(|kept| kept.position);
        theirs = expected.last().map(|kept| kept.position);
    }
}

/// A clock was wrong for a while, or was set.
#[tokio::test]
async fn events_are_found_by_their_time_in_whatever_order_they_stand() {
    let (place, model) = (Place::new(), MemoryStore::new());
    let trail = place.open();
    let seconds = (0..30).map(|number| if number % 7 == 3 { 0 } else { number * 86_400 });
    for second in seconds.chain([5]) {
        let event = place.event(second);
        trail.add(std::slice::from_ref(&event)).await.unwrap();
        model.add_audit_event(&event).await.unwrap();
    }
    for indexed in [false, true] {
        if indexed {
            index::make_missing(&Folder::at(&place.path())).unwrap();
        }
        for (since, until) in [(Some(1), None), (None, Some(6)), (Some(86_400 * 9), Some(86_400 * 20))] {
            let instant = |second: Option<i64>| second.map(|second| Timestamp::from_second(second).unwrap());
            let question =
                AuditQuestion { since: instant(since), until: instant(until), ..AuditQuestion::default() };
            assert_same_pages(&trail, &model, &question, 5).await;
        }
    }
}

#[tokio::test]
async fn whoever_reads_on_from_any_line_misses_nothing() {
    let place = Place::new();
    place.signed(40).await;
    let trail = place.open();
    let whole = trail.after(Page { after: None, limit: usize::MAX }).await.unwrap();
    assert_eq!(whole.len(), 40);
    for after in 0..=place.verified().last {
        let rest = trail.after(Page { after: Some(EventPosition(after)), limit: 5 }).await.unwrap();
        let expected = whole.iter().filter(|kept| kept.position.0 > after).take(5);
        assert!(rest.iter().eq(expected), "{after}");
    }
}
